//! What header blocks, content and resets mean to streams and their exchanges (RFC 9113 section 8).

use wire::Direction;

use super::frame::{Frame, PUSH_PROMISE, error_name};
use super::head::Head;
use super::parser::Http2Parser;
use super::streams::{State, Stream, StreamMessage};
use crate::correlate::{Entry, Kind, Messages};
use crate::protocols::grpc;
use fact::{Exchange, Unanswered};

impl Http2Parser {
    /// The block that was decoded last belongs to a stream. Its frames are between the two of
    /// `bounds`.
    pub(super) fn on_block(
        &mut self,
        direction: Direction,
        frame: &Frame,
        promised: u32,
        bounds: [usize; 2],
        out: &mut Messages,
    ) {
        if frame.kind == PUSH_PROMISE {
            return self.on_push_promise(promised, bounds, out);
        }
        let (id, ends) = (frame.stream, frame.ends_stream());
        if self.is_client(direction) {
            self.on_request_block(id, ends, bounds, out);
        } else if self.streams.get(id).is_some_and(|stream| stream.pushed) {
            self.on_pushed_block(id, bounds, out);
        } else {
            self.on_response_block(id, ends, bounds, out);
        }
    }

    /// A block of a request: its head or its trailers.
    fn on_request_block(&mut self, id: u32, ends: bool, [at, end]: [usize; 2], out: &mut Messages) {
        if let Some(stream) = self.streams.get(id) {
            stream.request.add([at, end], out);
            return;
        }
        if !self.head.begins(ends) || self.streams.is_reset(id) {
            return;
        }
        let entry = out.open(Kind::Request, u64::from(id), at);
        self.head.push_request(&mut entry.exchange);
        let grpc_form = self.head.grpc_form;
        let messages = grpc_form.map(grpc::MessageCounter::new);
        let mut request =
            StreamMessage { state: State::Open, messages, ..StreamMessage::default() };
        request.add([at, end], out);
        let stream = Stream { id: u64::from(id), request, grpc_form, ..Stream::default() };
        self.streams.insert(id, stream);
    }

    /// The request that the server promises to answer.
    fn on_push_promise(&mut self, id: u32, [at, end]: [usize; 2], out: &mut Messages) {
        let exchange = &mut out.open(Kind::OneWay, u64::from(id), at).exchange;
        self.head.push_request(exchange);
        exchange.attributes.push_bool("wirespan.http.pushed", true);
        let mut response = StreamMessage { state: State::Open, ..StreamMessage::default() };
        response.add([at, end], out);
        let request = StreamMessage { state: State::Ended, ..StreamMessage::default() };
        let id64 = u64::from(id);
        self.streams
            .insert(id, Stream { id: id64, request, response, pushed: true, ..Stream::default() });
    }

    /// The response to a promised request, or its trailers (RFC 9113 section 8.4).
    fn on_pushed_block(&mut self, id: u32, [at, end]: [usize; 2], out: &mut Messages) {
        let Some(stream) = self.streams.get(id) else {
            wire::invariant!("the caller found the pushed stream");
            return;
        };
        stream.response.add([at, end], out);
        if let Some(entry) = out.current(Kind::OneWay, u64::from(id))
            && !self.head.is_interim()
            && !std::mem::replace(&mut stream.has_status, true)
        {
            self.head.push_response(&mut entry.exchange);
        }
    }

    /// A block of a response: its head or its trailers.
    fn on_response_block(
        &mut self,
        id: u32,
        ends: bool,
        [at, end]: [usize; 2],
        out: &mut Messages,
    ) {
        if self.head.is_interim() {
            return;
        }
        if !self.streams.contains(id) && !self.find_request(id, ends, out) {
            return;
        }
        let Some(stream) = self.streams.get(id) else {
            wire::invariant!("the stream of the response is open or was just opened");
            return;
        };
        stream.response.add([at, end], out);
        let head = &self.head;
        match stream.response.state {
            State::Ended => {}
            State::Open => {
                if !stream.has_status
                    && let Some(entry) = out.current(Kind::Response, stream.id)
                {
                    head.push_trailers(&mut entry.exchange);
                    stream.on_status(head);
                }
            }
            State::Awaited => {
                let begins = head.begins(ends);
                if !begins && !ends {
                    return;
                }
                let entry = out.open(Kind::Response, stream.id, at);
                if head.status.is_none() && stream.response.may_have_gap {
                    entry.mark_response_incomplete();
                }
                head.push_response(&mut entry.exchange);
                stream.grpc_form = stream.grpc_form.or(head.grpc_form);
                stream.response.state = State::Open;
                let form = head.response_form(stream.grpc_form);
                stream.response.messages = form.map(grpc::MessageCounter::new);
                stream.on_status(head);
            }
        }
    }

    /// Opens a stream for a response whose request was not seen on it. Returns whether there is
    /// one.
    fn find_request(&mut self, id: u32, ends: bool, out: &Messages) -> bool {
        // The response to the HTTP/1.1 request with the upgrade is on stream 1 (RFC 7540 section
        // 3.2).
        let upgraded = (id == 1 && out.is_pending(0)).then_some(0);
        let alone = id % 2 == 1 && self.head.begins(ends) && !self.streams.is_reset(id);
        if upgraded.is_none() && !alone {
            return false;
        }
        let request = StreamMessage { state: State::Ended, ..StreamMessage::default() };
        let id64 = upgraded.unwrap_or(u64::from(id));
        self.streams.insert(id, Stream { id: id64, request, ..Stream::default() });
        true
    }

    /// A DATA frame with so many bytes of content begins.
    pub(super) fn on_data(
        &mut self,
        direction: Direction,
        id: u32,
        bytes: u64,
        bounds: [usize; 2],
        out: &Messages,
    ) {
        let from_client = self.is_client(direction);
        if let Some(stream) = self.streams.get(id) {
            let message = if from_client { &mut stream.request } else { &mut stream.response };
            message.body += bytes;
            message.add(bounds, out);
        }
    }

    /// The message of this direction of a stream ends before `at`.
    pub(super) fn end_message(
        &mut self,
        direction: Direction,
        id: u32,
        at: usize,
        out: &mut Messages,
    ) {
        let from_client = self.is_client(direction);
        let Some(stream) = self.streams.get(id) else { return };
        let kind = match (from_client, stream.pushed) {
            (true, _) => Kind::Request,
            (false, false) => Kind::Response,
            (false, true) => Kind::OneWay,
        };
        let message = if from_client { &mut stream.request } else { &mut stream.response };
        if message.state != State::Open {
            return;
        }
        message.state = State::Ended;
        if let Some(entry) = out.current(kind, stream.id) {
            message.push_size(entry, from_client, stream.pushed);
            if kind == Kind::Response {
                stream.finish_call(&mut entry.exchange);
            }
        }
        out.close(kind, stream.id, at);
        let over = stream.response.state == State::Ended;
        if over && stream.request.state == State::Open && stream.request.may_have_gap {
            // Its end may have been in a gap.
            let (id, request) = (stream.id, &stream.request);
            out.abort(id, Unanswered::Closed, |entry| request.push_if_open(entry, true, false));
            stream.request.state = State::Ended;
        }
        if over && stream.request.state == State::Ended {
            self.streams.remove(id);
        }
    }

    /// One message cancels a stream (RFC 9113 section 6.4).
    pub(super) fn on_rst_stream(
        &mut self,
        direction: Direction,
        id: u32,
        code: u32,
        out: &mut Messages,
    ) {
        let by = if self.is_client(direction) { "client" } else { "server" };
        self.streams.insert_reset(id);
        let Some(stream) = self.streams.remove(id) else { return };
        let answered = stream.response.state == State::Ended;
        out.abort(stream.id, Unanswered::Reset, |entry| {
            stream.request.push_if_open(entry, true, false);
            stream.response.push_if_open(entry, false, stream.pushed);
            if !answered {
                let exchange = &mut entry.exchange;
                exchange.attributes.push_text("error.type", error_name(code));
                exchange.attributes.push_text("wirespan.reset_by", by);
            }
        });
    }

    /// The server did not and will not process the streams after `last` (RFC 9113 section 6.8).
    pub(super) fn on_goaway(&mut self, last: u32, code: u32, out: &mut Messages) {
        for id in self.streams.after(last) {
            let Some(stream) = self.streams.remove(id) else {
                wire::invariant!("`after` lists open streams");
                continue;
            };
            self.streams.insert_reset(id);
            out.abort(stream.id, Unanswered::Closed, |entry| {
                stream.request.push_if_open(entry, true, false);
                stream.response.push_if_open(entry, false, false);
                let exchange = &mut entry.exchange;
                exchange.attributes.push_text("error.type", error_name(code));
                exchange.attributes.push_text("wirespan.reset_by", "server");
            });
        }
    }
}

impl Head {
    /// Whether it is an interim response (RFC 9110 section 15.2).
    fn is_interim(&self) -> bool {
        self.status.is_some_and(|code| (100..200).contains(&code))
    }
}

impl StreamMessage {
    /// Frames from the first of `bounds` to the second belong to the message.
    fn add(&mut self, [at, end]: [usize; 2], out: &Messages) {
        self.own.bytes += (end - at) as u64;
        self.own.end = out.offset() + end as u64;
    }

    /// Adds what is there of an open message to its entry.
    fn push_if_open(&self, entry: &mut Entry, request: bool, pushed: bool) {
        if self.state == State::Open {
            self.push_size(entry, request, pushed);
        }
    }

    /// Adds the message's size and message count to its entry. A `pushed` response stands for both
    /// messages of the exchange.
    fn push_size(&self, entry: &mut Entry, request: bool, pushed: bool) {
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
    /// A block of its response may have had the status of the call.
    fn on_status(&mut self, head: &Head) {
        self.has_status |= head.grpc_status.is_some();
        if head.grpc_status.is_some() {
            self.grpc_form.get_or_insert(grpc::Form::Native);
        }
    }

    /// Adds the status of a call that ended without one in its trailers.
    fn finish_call(&self, exchange: &mut Exchange) {
        if self.grpc_form.is_some() && !self.has_status {
            grpc::finish_call(exchange, self.response.messages.as_ref());
        }
    }
}
