//! Makes first inputs for the target `l7` of captures: one of each connection.
//! `seeds FOLDER CAPTURE...`; `seeds --protocols` prints the protocols that the target knows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use analyzer::{Analyzer, Config};
use capture::CaptureFile;
use fact::{Fact, Sink};
use wire::decode::{DecodeConfig, Decoder, Layer4};
use wire::{Endpoint, FlowKey, Side, TapId};
use wirespan_fuzz::SUBJECTS;

/// Largest input.
const LONGEST: usize = 32 * 1024;

/// Protocols of connections, by their server's end.
#[derive(Default)]
struct Spoken(BTreeMap<String, (Endpoint, u8)>);

impl Sink for Spoken {
    fn emit(&mut self, fact: Fact<'_>) {
        if let Fact::FlowClosed(record) = fact
            && let Some(l7) = record.l7
            && let Some(index) = SUBJECTS.iter().position(|subject| subject.protocol == l7.protocol)
        {
            let ends = [record.client, record.server];
            for end in ends {
                self.0.insert(end.to_string(), (record.server, index as u8));
            }
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from).peekable();
    if arguments.next_if(|argument| argument.as_os_str() == "--protocols").is_some() {
        SUBJECTS.iter().for_each(|subject| println!("{}", subject.protocol.as_str()));
        return Ok(());
    }
    let folder = arguments.next().ok_or("usage: seeds FOLDER CAPTURE...")?;
    std::fs::create_dir_all(&folder)?;
    for path in arguments {
        if let Err(error) = seeds(&folder, &path) {
            eprintln!("seeds: {}: {error}", path.display());
        }
    }
    Ok(())
}

fn seeds(folder: &Path, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut spoken = Spoken::default();
    let mut analyzer = Analyzer::new(Config::default());
    let mut inputs: BTreeMap<String, (FlowKey, Vec<u8>)> = BTreeMap::new();
    let open = || CaptureFile::open(path, Box::new(|_: &str| TapId(1)));
    let (mut file, mut number) = (open()?, 0);
    while let Ok(Some(frame)) = file.next_frame() {
        number += 1;
        analyzer.frame(number, &frame, &mut spoken);
    }
    analyzer.finish(&mut spoken);
    let (mut file, mut decoder) = (open()?, Decoder::new(DecodeConfig::default()));
    while let Ok(Some(frame)) = file.next_frame() {
        let Ok(packet) = decoder.decode(&frame) else { continue };
        let payload = match &packet.layer4 {
            Layer4::Tcp(tcp) => tcp.payload,
            Layer4::Udp(udp) => udp.payload,
        };
        let (low, high) = (packet.key.low, packet.key.high);
        let known = spoken.0.get(&low.to_string()).or_else(|| spoken.0.get(&high.to_string()));
        let Some(&(server, protocol)) = known else { continue };
        let (_, input) = inputs
            .entry(format!("{low} {high}"))
            .or_insert_with(|| (packet.key.clone(), vec![protocol]));
        let sender = if packet.side == Side::Low { low } else { high };
        for piece in payload.chunks(0xfff) {
            if input.len() + piece.len() < LONGEST {
                let how = if sender == server { 0x80 } else { 0 };
                input.extend([how, piece.len() as u8, (piece.len() >> 8) as u8]);
                input.extend(piece);
            }
        }
    }
    let stem = path.to_string_lossy().replace(['/', '.'], "-");
    for (n, (_, input)) in inputs.values().enumerate().take(8) {
        std::fs::write(folder.join(format!("{stem}-{n}")), input)?;
    }
    Ok(())
}
