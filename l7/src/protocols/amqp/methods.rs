//! Methods: names, and which answers which.

use wire::Direction;

/// What a method does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Asks for an answer.
    Asks,
    /// Answers the method of the same class with this number.
    Answers(u16),
    /// Asks for nothing.
    Tells,
    /// Settles messages.
    Settles,
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
    use Role::{Answers, Asks, Settles, Tells};
    use Sender::{Client, Either, Server};
    &[
        m(CONNECTION, 10, "connection.start", Asks, Server),
        m(CONNECTION, 11, "connection.start-ok", Answers(10), Client),
        m(CONNECTION, 20, "connection.secure", Asks, Server),
        m(CONNECTION, 21, "connection.secure-ok", Answers(20), Client),
        m(CONNECTION, 30, "connection.tune", Asks, Server),
        m(CONNECTION, 31, "connection.tune-ok", Answers(30), Client),
        m(CONNECTION, 40, "connection.open", Asks, Client),
        m(CONNECTION, 41, "connection.open-ok", Answers(40), Server),
        m(CONNECTION, 50, "connection.close", Asks, Either),
        m(CONNECTION, 51, "connection.close-ok", Answers(50), Either),
        m(CONNECTION, 60, "connection.blocked", Tells, Server),
        m(CONNECTION, 61, "connection.unblocked", Tells, Server),
        m(CONNECTION, 70, "connection.update-secret", Asks, Client),
        m(CONNECTION, 71, "connection.update-secret-ok", Answers(70), Server),
        m(CHANNEL, 10, "channel.open", Asks, Client),
        m(CHANNEL, 11, "channel.open-ok", Answers(10), Server),
        m(CHANNEL, 20, "channel.flow", Asks, Either),
        m(CHANNEL, 21, "channel.flow-ok", Answers(20), Either),
        m(CHANNEL, 40, "channel.close", Asks, Either),
        m(CHANNEL, 41, "channel.close-ok", Answers(40), Either),
        m(30, 10, "access.request", Asks, Client),
        m(30, 11, "access.request-ok", Answers(10), Server),
        m(EXCHANGE, 10, "exchange.declare", Asks, Client),
        m(EXCHANGE, 11, "exchange.declare-ok", Answers(10), Server),
        m(EXCHANGE, 20, "exchange.delete", Asks, Client),
        m(EXCHANGE, 21, "exchange.delete-ok", Answers(20), Server),
        m(EXCHANGE, 30, "exchange.bind", Asks, Client),
        m(EXCHANGE, 31, "exchange.bind-ok", Answers(30), Server),
        m(EXCHANGE, 40, "exchange.unbind", Asks, Client),
        m(EXCHANGE, 51, "exchange.unbind-ok", Answers(40), Server),
        m(QUEUE, 10, "queue.declare", Asks, Client),
        m(QUEUE, 11, "queue.declare-ok", Answers(10), Server),
        m(QUEUE, 20, "queue.bind", Asks, Client),
        m(QUEUE, 21, "queue.bind-ok", Answers(20), Server),
        m(QUEUE, 30, "queue.purge", Asks, Client),
        m(QUEUE, 31, "queue.purge-ok", Answers(30), Server),
        m(QUEUE, 40, "queue.delete", Asks, Client),
        m(QUEUE, 41, "queue.delete-ok", Answers(40), Server),
        m(QUEUE, 50, "queue.unbind", Asks, Client),
        m(QUEUE, 51, "queue.unbind-ok", Answers(50), Server),
        m(BASIC, 10, "basic.qos", Asks, Client),
        m(BASIC, 11, "basic.qos-ok", Answers(10), Server),
        m(BASIC, 20, "basic.consume", Asks, Client),
        m(BASIC, 21, "basic.consume-ok", Answers(20), Server),
        m(BASIC, 30, "basic.cancel", Asks, Either),
        m(BASIC, 31, "basic.cancel-ok", Answers(30), Either),
        m(BASIC, PUBLISH, "basic.publish", Tells, Client),
        m(BASIC, RETURN, "basic.return", Tells, Server),
        m(BASIC, DELIVER, "basic.deliver", Tells, Server),
        m(BASIC, GET, "basic.get", Asks, Client),
        m(BASIC, GET_OK, "basic.get-ok", Answers(GET), Server),
        m(BASIC, 72, "basic.get-empty", Answers(GET), Server),
        m(BASIC, 80, "basic.ack", Settles, Either),
        m(BASIC, 90, "basic.reject", Settles, Client),
        m(BASIC, 100, "basic.recover-async", Tells, Client),
        m(BASIC, 110, "basic.recover", Asks, Client),
        m(BASIC, 111, "basic.recover-ok", Answers(110), Server),
        m(BASIC, 120, "basic.nack", Settles, Either),
        m(CONFIRM, 10, "confirm.select", Asks, Client),
        m(CONFIRM, 11, "confirm.select-ok", Answers(10), Server),
        m(TX, 10, "tx.select", Asks, Client),
        m(TX, 11, "tx.select-ok", Answers(10), Server),
        m(TX, 20, "tx.commit", Asks, Client),
        m(TX, 21, "tx.commit-ok", Answers(20), Server),
        m(TX, 30, "tx.rollback", Asks, Client),
        m(TX, 31, "tx.rollback-ok", Answers(30), Server),
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
    pub(super) fn asked(&self) -> u16 {
        match self.role {
            Role::Answers(number) => number,
            _ => self.number,
        }
    }
}
