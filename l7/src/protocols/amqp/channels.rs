//! Channels of a connection, and their consumers.

/// A consumer of a channel, by the tag that its deliveries carry.
#[derive(Clone, Debug, Default)]
pub(super) struct Consumer {
    pub(super) tag: Vec<u8>,
    pub(super) queue: Vec<u8>,
    pub(super) acknowledges: bool,
}

/// What is known of a channel.
#[derive(Debug)]
pub(super) struct Channel {
    number: u16,
    pub(super) epoch: u8,
    /// Publishes are confirmed: the number of the next one.
    pub(super) confirms: Option<u64>,
    consumers: Vec<Consumer>,
    /// Consumers whose `basic.consume-ok` was not seen yet.
    unconfirmed: Vec<Consumer>,
}

impl Channel {
    const CONSUMERS: usize = 64;

    pub(super) fn on_consume(&mut self, consumer: Consumer) {
        if self.unconfirmed.len() < Self::CONSUMERS {
            self.unconfirmed.push(consumer);
        }
    }

    /// The oldest consumer that waits for its `basic.consume-ok` has this tag.
    pub(super) fn on_consume_ok(&mut self, tag: &[u8]) {
        if !self.unconfirmed.is_empty() {
            let consumer = self.unconfirmed.remove(0);
            self.add(Consumer { tag: tag.to_vec(), ..consumer });
        }
    }

    pub(super) fn add(&mut self, consumer: Consumer) {
        self.cancel(&consumer.tag);
        if self.consumers.len() >= Self::CONSUMERS {
            self.consumers.remove(0);
        }
        self.consumers.push(consumer);
    }

    pub(super) fn cancel(&mut self, tag: &[u8]) {
        self.consumers.retain(|c| c.tag != tag);
    }

    pub(super) fn consumer(&self, tag: &[u8]) -> Option<&Consumer> {
        self.consumers.iter().find(|c| c.tag == tag)
    }

    fn bytes(&self) -> usize {
        let texts = |all: &Vec<Consumer>| {
            all.capacity() * size_of::<Consumer>()
                + all.iter().map(|c| c.tag.capacity() + c.queue.capacity()).sum::<usize>()
        };
        size_of::<Self>() + texts(&self.consumers) + texts(&self.unconfirmed)
    }
}

/// The channels of a connection. Of too many, the one that was opened first is removed.
#[derive(Debug, Default)]
pub(super) struct Channels {
    known: Vec<Channel>,
    epochs: u8,
}

impl Channels {
    const MOST: usize = 256;
    /// Consumers of all channels together, those included that were not answered.
    const CONSUMERS: usize = 1024;

    /// Whether there is room for one more consumer. Deliveries to one that is not known are
    /// one-way.
    pub(super) fn has_room(&self) -> bool {
        self.known.iter().map(|c| c.consumers.len() + c.unconfirmed.len()).sum::<usize>()
            < Self::CONSUMERS
    }

    pub(super) fn get(&mut self, number: u16) -> &mut Channel {
        let index = self.known.iter().position(|c| c.number == number).unwrap_or_else(|| {
            if self.known.len() >= Self::MOST {
                self.known.remove(0);
            }
            self.epochs = self.epochs.wrapping_add(1);
            let (confirms, consumers, unconfirmed) = (None, Vec::new(), Vec::new());
            self.known.push(Channel {
                number,
                epoch: self.epochs,
                confirms,
                consumers,
                unconfirmed,
            });
            self.known.len() - 1
        });
        &mut self.known[index]
    }

    pub(super) fn close(&mut self, number: u16) {
        self.known.retain(|c| c.number != number);
    }

    /// Publishes may be missing: those that follow cannot be numbered.
    pub(super) fn stop_numbering(&mut self) {
        self.known.iter_mut().for_each(|c| c.confirms = None);
    }

    /// Bytes allocated on the heap.
    pub(super) fn bytes(&self) -> usize {
        let spare = self.known.capacity() - self.known.len();
        self.known.iter().map(Channel::bytes).sum::<usize>() + spare * size_of::<Channel>()
    }
}
