//! Which of several analyzers a frame goes to.

use super::layer::Step;
use super::step::step;
use super::{Decoded, Decoder, Undecoded, direct, link};
use crate::{Endpoint, RawFrame, Spread};

/// Headers that are looked through.
const MAX_STEPS: usize = 64;

/// Where a frame should go when one input is spread over several analyzers: all packets of a flow
/// to the same one.
#[derive(Clone, Copy, Debug)]
pub enum Route<'a> {
    /// The frame itself, to the one that this hash chooses: it is the same for both directions of
    /// the innermost flow, and the same in every run.
    Frame(u64),
    /// A packet that was put together from fragments, of which this frame was the last, to the one
    /// that the hash chooses.
    Packet(u64, Decoded<'a>),
    /// A fragment that was kept, or that gave no packet for another reason: to be counted.
    Fragment(Undecoded),
    /// A frame without a flow, to any.
    Any,
}

impl Decoder {
    /// Tells where a frame should go. A fragment does not show which flow it belongs to: this
    /// decoder keeps the fragments, so that the others never see one.
    #[inline]
    pub fn route<'a>(&'a mut self, frame: &'a RawFrame<'a>) -> Route<'a> {
        match direct::spread(frame, self.vxlan_ports()) {
            Some(hash) => Route::Frame(hash),
            None => self.route_by_walk(frame),
        }
    }

    /// The same by way of all layers.
    #[inline(never)]
    pub(super) fn route_by_walk<'a>(&'a mut self, frame: &'a RawFrame<'a>) -> Route<'a> {
        let Ok(mut layer) = link::first(frame) else { return Route::Any };
        for _ in 0..MAX_STEPS {
            layer = match step(layer, self.vxlan_ports()) {
                Ok(Step::Next(next) | Step::Vlan(_, next)) => next,
                Ok(Step::Tunnel(entered, _)) => entered.inner,
                Ok(Step::Tcp(datagram, ports, _) | Step::Udp(datagram, ports, _)) => {
                    let source = Endpoint::new(datagram.source, ports.source);
                    let destination = Endpoint::new(datagram.destination, ports.destination);
                    return Route::Frame(Spread::of(source).with(Spread::of(destination)));
                }
                Ok(Step::Fragment(..)) => {
                    return match self.walk(frame) {
                        Ok(packet) => Route::Packet(packet.key.spread(), packet),
                        Err(reason) => Route::Fragment(reason),
                    };
                }
                Err(_) => return Route::Any,
            };
        }
        Route::Any
    }
}
