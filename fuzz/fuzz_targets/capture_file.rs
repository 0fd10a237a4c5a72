//! Arbitrary bytes as a capture file: it is refused, or its frames come out until the end or one
//! error.
#![no_main]

use std::sync::LazyLock;

use capture::CaptureFile;
use libfuzzer_sys::fuzz_target;
use wire::TapId;

static PATH: LazyLock<std::path::PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("wirespan-fuzz-{}", std::process::id())));

fuzz_target!(|input: &[u8]| {
    std::fs::write(&*PATH, input).expect("the folder for temporary files takes a file");
    let Ok(mut file) = CaptureFile::open(&PATH, Box::new(|_| TapId(0))) else { return };
    let mut captured = 0;
    while let Ok(Some(frame)) = file.next_frame() {
        captured += frame.bytes.len();
        // A record is at least as long in the file as what it captured, unless the file is
        // compressed.
        let compressed = matches!(input, [0x1f, 0x8b, ..] | [0x28, 0xb5, ..]);
        assert!(compressed || captured <= input.len());
        if captured > 16 << 20 {
            break;
        }
    }
});
