use wire::Direction;

use super::frame::{Frame, PUSH_PROMISE, error_name};
use super::head::Head;
use super::parser::Http2Parser;
use super::streams::{Half, State, Stream};
use crate::correlate::{Entry, Kind, Messages};
use crate::protocols::grpc;
use fact::{Exchange, Protocol, Unanswered};

impl Http2Parser {
    /// Tells the block that was read last; its frames stand between the two of `bounds`.
    pub(super) fn tell(
        &mut self,
        direction: Direction,
        frame: &Frame,
        promised: u32,
        bounds: [usize; 2],
        out: &mut Messages,
    ) {
        if frame.kind == PUSH_PROMISE {
            return self.promise(promised, bounds, out);
        }
        let (id, ends) = (frame.stream, frame.ends_stream());
        if self.is_asking(direction) {
            self.request(id, ends, bounds, out);
        } else if self.streams.get(id).is_some_and(|stream| stream.pushed) {
            self.pushed(id, bounds, out);
        } else {
            self.response(id, ends, bounds, out);
        }
    }

    fn request(&mut self, id: u32, ends: bool, [at, end]: [usize; 2], out: &mut Messages) {
        if let Some(stream) = self.streams.get(id) {
            stream.request.add([at, end], out);
            return;
        }
        if !self.head.begins(ends) || self.streams.was_reset(id) {
            return;
        }
        let entry = out.open(Protocol::Http2, Kind::Request, u64::from(id), at);
        self.head.ask(&mut entry.exchange);
        let call = self.head.call;
        let messages = call.map(grpc::MessageCounter::new);
        let mut request = Half { state: State::Open, messages, ..Half::default() };
        request.add([at, end], out);
        self.streams.insert(id, Stream { id: u64::from(id), request, call, ..Stream::default() });
    }

    fn promise(&mut self, id: u32, [at, end]: [usize; 2], out: &mut Messages) {
        let exchange = &mut out.open(Protocol::Http2, Kind::OneWay, u64::from(id), at).exchange;
        self.head.ask(exchange);
        exchange.attributes.push_bool("wirespan.http.pushed", true);
        let mut response = Half { state: State::Open, ..Half::default() };
        response.add([at, end], out);
        let request = Half { state: State::Ended, ..Half::default() };
        let id64 = u64::from(id);
        self.streams.insert(id, Stream { id: id64, request, response, pushed: true, ..Stream::default() });
    }

    /// The response to a promised request, or its trailers.
    fn pushed(&mut self, id: u32, [at, end]: [usize; 2], out: &mut Messages) {
        let Some(stream) = self.streams.get(id) else { return };
        stream.response.add([at, end], out);
        if let Some(entry) = out.current(Kind::OneWay, u64::from(id))
            && !self.head.is_interim()
            && !std::mem::replace(&mut stream.has_status, true)
        {
            self.head.answer(&mut entry.exchange);
        }
    }

    fn response(&mut self, id: u32, ends: bool, [at, end]: [usize; 2], out: &mut Messages) {
        if self.head.is_interim() {
            return;
        }
        if !self.streams.has(id) && !self.find_request(id, ends, out) {
            return;
        }
        let Some(stream) = self.streams.get(id) else { return };
        stream.response.add([at, end], out);
        let head = &self.head;
        match stream.response.state {
            State::Ended => {}
            State::Open => {
                if !stream.has_status
                    && let Some(entry) = out.current(Kind::Response, stream.id)
                {
                    head.end(&mut entry.exchange);
                    stream.note(head);
                }
            }
            State::Awaited => {
                let begins = head.begins(ends);
                if !begins && !ends {
                    return;
                }
                let entry = out.open(Protocol::Http2, Kind::Response, stream.id, at);
                if head.status.is_none() && stream.response.missed {
                    entry.mark_response_incomplete();
                }
                head.answer(&mut entry.exchange);
                stream.call = stream.call.or(head.call);
                stream.response.state = State::Open;
                stream.response.messages = head.form(stream.call).map(grpc::MessageCounter::new);
                stream.note(head);
            }
        }
    }

    /// Where a response may belong whose request was not seen on this stream; whether there is such a place.
    fn find_request(&mut self, id: u32, ends: bool, out: &Messages) -> bool {
        // The request that asked HTTP/1.1 for the upgrade is answered on stream 1 (RFC 7540 section 3.2).
        let upgraded = (id == 1 && out.is_pending(0)).then_some(0);
        let alone = id % 2 == 1 && self.head.begins(ends) && !self.streams.was_reset(id);
        if upgraded.is_none() && !alone {
            return false;
        }
        let request = Half { state: State::Ended, ..Half::default() };
        let id64 = upgraded.unwrap_or(u64::from(id));
        self.streams.insert(id, Stream { id: id64, request, ..Stream::default() });
        true
    }

    /// DATA with so many bytes of content begins.
    pub(super) fn content(
        &mut self,
        direction: Direction,
        id: u32,
        bytes: u64,
        bounds: [usize; 2],
        out: &Messages,
    ) {
        let from_client = self.is_asking(direction);
        if let Some(stream) = self.streams.get(id) {
            let half = if from_client { &mut stream.request } else { &mut stream.response };
            half.body += bytes;
            half.add(bounds, out);
        }
    }

    /// The message of this direction of a stream ends before `at`.
    pub(super) fn end_message(&mut self, direction: Direction, id: u32, at: usize, out: &mut Messages) {
        let from_client = self.is_asking(direction);
        let Some(stream) = self.streams.get(id) else { return };
        let kind = match (from_client, stream.pushed) {
            (true, _) => Kind::Request,
            (false, false) => Kind::Response,
            (false, true) => Kind::OneWay,
        };
        let half = if from_client { &mut stream.request } else { &mut stream.response };
        if half.state != State::Open {
            return;
        }
        half.state = State::Ended;
        if let Some(entry) = out.current(kind, stream.id) {
            half.tell(entry, from_client, stream.pushed);
            if kind == Kind::Response {
                stream.conclude(&mut entry.exchange);
            }
        }
        out.close(kind, stream.id, at);
        let over = stream.response.state == State::Ended;
        if over && stream.request.state == State::Open && stream.request.missed {
            // Its end may have been in a hole.
            let (message, request) = (stream.id, &stream.request);
            out.abort(message, Unanswered::Closed, |entry| request.conclude(entry, true, false));
            stream.request.state = State::Ended;
        }
        if over && stream.request.state == State::Ended {
            self.streams.remove(id);
        }
    }

    /// One side wants no more of a stream (RFC 9113 section 6.4).
    pub(super) fn reset(&mut self, direction: Direction, id: u32, code: u32, out: &mut Messages) {
        let by = if self.is_asking(direction) { "client" } else { "server" };
        self.streams.remember_reset(id);
        let Some(stream) = self.streams.remove(id) else { return };
        let answered = stream.response.state == State::Ended;
        out.abort(stream.id, Unanswered::Reset, |entry| {
            stream.request.conclude(entry, true, false);
            stream.response.conclude(entry, false, stream.pushed);
            if !answered {
                let exchange = &mut entry.exchange;
                exchange.attributes.push_text("error.type", error_name(code));
                exchange.attributes.push_text("wirespan.reset_by", by);
            }
        });
    }

    /// The server did and will do nothing about the streams after `last` (RFC 9113 section 6.8).
    pub(super) fn go_away(&mut self, last: u32, code: u32, out: &mut Messages) {
        for id in self.streams.after(last) {
            let Some(stream) = self.streams.remove(id) else { continue };
            self.streams.remember_reset(id);
            out.abort(stream.id, Unanswered::Closed, |entry| {
                stream.request.conclude(entry, true, false);
                stream.response.conclude(entry, false, false);
                let exchange = &mut entry.exchange;
                exchange.attributes.push_text("error.type", error_name(code));
                exchange.attributes.push_text("wirespan.reset_by", "server");
            });
        }
    }
}

impl Head {
    /// A response before the response (RFC 9110 section 15.2).
    fn is_interim(&self) -> bool {
        self.status.is_some_and(|code| (100..200).contains(&code))
    }
}

impl Half {
    /// Frames from the first of `bounds` to the second belong to it.
    fn add(&mut self, [at, end]: [usize; 2], out: &Messages) {
        self.own.bytes += (end - at) as u64;
        self.own.end = out.offset() + end as u64;
    }

    /// Tells of it what is there, if it is not over.
    fn conclude(&self, entry: &mut Entry, request: bool, pushed: bool) {
        if self.state == State::Open {
            self.tell(entry, request, pushed);
        }
    }

    /// Tells how large it is. A response that was `pushed` stands for both messages.
    fn tell(&self, entry: &mut Entry, request: bool, pushed: bool) {
        let kind = if request || pushed { Kind::Request } else { Kind::Response };
        entry.set_own_bytes(kind, self.own);
        let exchange = &mut entry.exchange;
        if self.body > 0 {
            let key = if request { "http.request.body.size" } else { "http.response.body.size" };
            exchange.attributes.push_int(key, i64::try_from(self.body).unwrap_or(i64::MAX));
        }
        if let Some(count) = self.messages.as_ref().and_then(|messages| messages.count()) {
            grpc::add_message_count(exchange, request, count);
        }
    }
}

impl Stream {
    fn note(&mut self, head: &Head) {
        self.has_status |= head.grpc_status.is_some();
        if head.grpc_status.is_some() {
            self.call.get_or_insert(grpc::Form::Native);
        }
    }

    /// A call whose status was not seen ended somehow.
    fn conclude(&self, exchange: &mut Exchange) {
        if self.call.is_some() && !self.has_status {
            grpc::finish_call(exchange, self.response.messages.as_ref());
        }
    }
}
