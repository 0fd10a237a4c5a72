//! Methods: names, and which answers which.

use wire::Direction;

/// What a method does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Asks for a response.
    Request,
    /// The response to the method of the same class with this number.
    ResponseTo(u16),
    /// Has no response.
    OneWay,
    /// Acknowledges or rejects messages.
    Settlement,
}

/// Who may send a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    Client,
    Server,
    Either,
}

/// A method by the numbers of its class and itself (AMQP 0-9-1, "Class and Method ID"; RabbitMQ's
/// extensions).
#[derive(Clone, Copy, Debug)]
pub(super) struct Method {
    pub(super) class: u16,
    pub(super) number: u16,
    pub(super) name: &'static str,
    pub(super) role: Role,
    from: Sender,
}

pub(super) const CONNECTION: u16 = 10;
pub(super) const CHANNEL: u16 = 20;
pub(super) const EXCHANGE: u16 = 40;
pub(super) const QUEUE: u16 = 50;
pub(super) const BASIC: u16 = 60;
pub(super) const CONFIRM: u16 = 85;
pub(super) const TX: u16 = 90;

pub(super) const PUBLISH: u16 = 40;
pub(super) const RETURN: u16 = 50;
pub(super) const DELIVER: u16 = 60;
pub(super) const GET: u16 = 70;
pub(super) const GET_OK: u16 = 71;

const fn m(class: u16, number: u16, name: &'static str, role: Role, from: Sender) -> Method {
    Method { class, number, name, role, from }
}

const ALL: &[Method] = {
    use Role::{OneWay, Request, ResponseTo, Settlement};
    use Sender::{Client, Either, Server};
    &[
        m(CONNECTION, 10, "connection.start", Request, Server),
        m(CONNECTION, 11, "connection.start-ok", ResponseTo(10), Client),
        m(CONNECTION, 20, "connection.secure", Request, Server),
        m(CONNECTION, 21, "connection.secure-ok", ResponseTo(20), Client),
        m(CONNECTION, 30, "connection.tune", Request, Server),
        m(CONNECTION, 31, "connection.tune-ok", ResponseTo(30), Client),
        m(CONNECTION, 40, "connection.open", Request, Client),
        m(CONNECTION, 41, "connection.open-ok", ResponseTo(40), Server),
        m(CONNECTION, 50, "connection.close", Request, Either),
        m(CONNECTION, 51, "connection.close-ok", ResponseTo(50), Either),
        m(CONNECTION, 60, "connection.blocked", OneWay, Server),
        m(CONNECTION, 61, "connection.unblocked", OneWay, Server),
        m(CONNECTION, 70, "connection.update-secret", Request, Client),
        m(CONNECTION, 71, "connection.update-secret-ok", ResponseTo(70), Server),
        m(CHANNEL, 10, "channel.open", Request, Client),
        m(CHANNEL, 11, "channel.open-ok", ResponseTo(10), Server),
        m(CHANNEL, 20, "channel.flow", Request, Either),
        m(CHANNEL, 21, "channel.flow-ok", ResponseTo(20), Either),
        m(CHANNEL, 40, "channel.close", Request, Either),
        m(CHANNEL, 41, "channel.close-ok", ResponseTo(40), Either),
        m(30, 10, "access.request", Request, Client),
        m(30, 11, "access.request-ok", ResponseTo(10), Server),
        m(EXCHANGE, 10, "exchange.declare", Request, Client),
        m(EXCHANGE, 11, "exchange.declare-ok", ResponseTo(10), Server),
        m(EXCHANGE, 20, "exchange.delete", Request, Client),
        m(EXCHANGE, 21, "exchange.delete-ok", ResponseTo(20), Server),
        m(EXCHANGE, 30, "exchange.bind", Request, Client),
        m(EXCHANGE, 31, "exchange.bind-ok", ResponseTo(30), Server),
        m(EXCHANGE, 40, "exchange.unbind", Request, Client),
        m(EXCHANGE, 51, "exchange.unbind-ok", ResponseTo(40), Server),
        m(QUEUE, 10, "queue.declare", Request, Client),
        m(QUEUE, 11, "queue.declare-ok", ResponseTo(10), Server),
        m(QUEUE, 20, "queue.bind", Request, Client),
        m(QUEUE, 21, "queue.bind-ok", ResponseTo(20), Server),
        m(QUEUE, 30, "queue.purge", Request, Client),
        m(QUEUE, 31, "queue.purge-ok", ResponseTo(30), Server),
        m(QUEUE, 40, "queue.delete", Request, Client),
        m(QUEUE, 41, "queue.delete-ok", ResponseTo(40), Server),
        m(QUEUE, 50, "queue.unbind", Request, Client),
        m(QUEUE, 51, "queue.unbind-ok", ResponseTo(50), Server),
        m(BASIC, 10, "basic.qos", Request, Client),
        m(BASIC, 11, "basic.qos-ok", ResponseTo(10), Server),
        m(BASIC, 20, "basic.consume", Request, Client),
        m(BASIC, 21, "basic.consume-ok", ResponseTo(20), Server),
        m(BASIC, 30, "basic.cancel", Request, Either),
        m(BASIC, 31, "basic.cancel-ok", ResponseTo(30), Either),
        m(BASIC, PUBLISH, "basic.publish", OneWay, Client),
        m(BASIC, RETURN, "basic.return", OneWay, Server),
        m(BASIC, DELIVER, "basic.deliver", OneWay, Server),
        m(BASIC, GET, "basic.get", Request, Client),
        m(BASIC, GET_OK, "basic.get-ok", ResponseTo(GET), Server),
        m(BASIC, 72, "basic.get-empty", ResponseTo(GET), Server),
        m(BASIC, 80, "basic.ack", Settlement, Either),
        m(BASIC, 90, "basic.reject", Settlement, Client),
        m(BASIC, 100, "basic.recover-async", OneWay, Client),
        m(BASIC, 110, "basic.recover", Request, Client),
        m(BASIC, 111, "basic.recover-ok", ResponseTo(110), Server),
        m(BASIC, 120, "basic.nack", Settlement, Either),
        m(CONFIRM, 10, "confirm.select", Request, Client),
        m(CONFIRM, 11, "confirm.select-ok", ResponseTo(10), Server),
        m(TX, 10, "tx.select", Request, Client),
        m(TX, 11, "tx.select-ok", ResponseTo(10), Server),
        m(TX, 20, "tx.commit", Request, Client),
        m(TX, 21, "tx.commit-ok", ResponseTo(20), Server),
        m(TX, 30, "tx.rollback", Request, Client),
        m(TX, 31, "tx.rollback-ok", ResponseTo(30), Server),
    ]
};

impl Method {
    pub(super) fn of(class: u16, number: u16) -> Option<&'static Self> {
        ALL.iter().find(|m| m.class == class && m.number == number)
    }

    pub(super) fn is(&self, class: u16, number: u16) -> bool {
        self.class == class && self.number == number
    }

    pub(super) fn may_come(&self, direction: Direction) -> bool {
        match self.from {
            Sender::Client => direction == Direction::ToServer,
            Sender::Server => direction == Direction::ToClient,
            Sender::Either => true,
        }
    }

    /// Whether a content follows.
    pub(super) fn has_content(&self) -> bool {
        self.class == BASIC && matches!(self.number, PUBLISH | RETURN | DELIVER | GET_OK)
    }

    /// Number of the request of the exchange that it belongs to.
    pub(super) fn request_number(&self) -> u16 {
        match self.role {
            Role::ResponseTo(number) => number,
            _ => self.number,
        }
    }
}
