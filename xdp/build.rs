//! Compiles every kernel program under `bpf/` with clang into `OUT_DIR`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const NEED: &str = "the kernel programs of the `xdp` crate are C and need clang 14 or newer with the bpf target \
     (Debian, Ubuntu: `apt install clang libbpf-dev linux-libc-dev`; Fedora: `dnf install clang libbpf-devel kernel-headers`); \
     set CLANG to use another compiler";

fn main() {
    println!("cargo:rerun-if-changed=bpf");
    println!("cargo:rerun-if-env-changed=CLANG");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets CARGO_CFG_TARGET_ARCH");
    for entry in fs::read_dir("bpf").expect("bpf/ is part of this crate") {
        let source = entry.expect("bpf/ is readable").path();
        if source.to_string_lossy().ends_with(".bpf.c") {
            compile(&source, &out, &arch);
        }
    }
}

fn compile(source: &Path, out: &Path, arch: &str) {
    let clang = env::var_os("CLANG").unwrap_or_else(|| OsString::from("clang"));
    let (define, triplet) = match arch {
        "x86_64" => ("x86", "x86_64-linux-gnu"),
        "aarch64" => ("arm64", "aarch64-linux-gnu"),
        "riscv64" => ("riscv", "riscv64-linux-gnu"),
        "s390x" => ("s390", "s390x-linux-gnu"),
        "powerpc64" => ("powerpc", "powerpc64le-linux-gnu"),
        other => panic!("no kernel programs for the architecture {other}"),
    };
    let endian = match env::var("CARGO_CFG_TARGET_ENDIAN").as_deref() {
        Ok("big") => "bpfeb",
        _ => "bpfel",
    };
    // sock_io.bpf.c becomes sock_io.o
    let name = source.file_stem().expect("it ends in .bpf.c");
    let object = out.join(name).with_extension("o");
    let result = Command::new(&clang)
        .args(["-target", endian, "-mcpu=v3", "-g", "-O2", "-Wall", "-Werror"])
        .arg(format!("-D__TARGET_ARCH_{define}"))
        .arg(format!("-I/usr/include/{triplet}"))
        .arg("-c")
        .arg(source)
        .arg("-o")
        .arg(&object)
        .output();
    match result {
        Err(error) => panic!("{} could not be run ({error}): {NEED}", clang.display()),
        Ok(output) if !output.status.success() => {
            let text = String::from_utf8_lossy(&output.stderr);
            panic!("{} could not be compiled:\n{text}\n{NEED}", source.display())
        }
        Ok(_) => {}
    }
}
