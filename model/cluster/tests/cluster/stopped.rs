//! A search that is stopped goes on from its last complete layer, and its report is the same.

use crate::program::{cluster, code, hosts, of_threads, printed, process, run, text};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, Instant},
};

/// The scenario that is stopped.
const NAME: &str = "hardened";
const ARGUMENTS: [&str; 4] = [NAME, "--format", "json", "--keep"];

fn manifest(folder: &Path, process: usize, layer: u32) -> PathBuf {
    folder.join(format!("zus-cluster-layers/process-{process}/layer-{layer:04}.json"))
}

/// Kills process `dies` of two once `layer` is complete, and returns what the other one says.
fn killed(folder: &Path, dies: usize, layer: u32) -> Output {
    hosts(folder, 2);
    let mut children = [0, 1].map(|number| process(folder, number, &ARGUMENTS));
    let until = Instant::now() + Duration::from_secs(60);
    while !manifest(folder, dies, layer).exists() {
        assert!(Instant::now() < until, "layer {layer} does not come");
        std::thread::sleep(Duration::from_micros(200));
    }
    children[dies].kill().unwrap();
    let outputs = children.map(|child| child.wait_with_output().unwrap());
    outputs[1 - dies].clone()
}

fn resumed(folder: &Path, more: &[&str]) -> [Output; 2] {
    hosts(folder, 2);
    let arguments = [&ARGUMENTS[..], &["--resume"], more].concat();
    [0, 1].map(|number| process(folder, number, &arguments)).map(|child| child.wait_with_output().unwrap())
}

/// Kills at each of these layers, and resumes.
fn killed_and_resumed(layers: &[u32]) {
    let threads = of_threads(NAME);
    for (at, &layer) in layers.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let other = killed(folder.path(), at % 2, layer);
        let told = text(&other.stderr);
        assert_eq!(code(&other), 3, "{told}");
        assert!(
            told.contains(&format!("process {} (127.0.0.1:", at % 2)) && told.contains("is gone"),
            "{told}"
        );
        assert!(told.contains("go on with: zus-cluster check") && told.contains("--resume"), "{told}");
        let [zero, one] = resumed(folder.path(), &[]);
        assert_eq!([code(&zero), code(&one)], [0, 0], "{}{}", text(&zero.stderr), text(&one.stderr));
        assert_eq!(printed(&zero), threads, "killed after layer {layer}");
    }
}

#[test]
fn a_search_that_lost_a_process_goes_on() {
    killed_and_resumed(&[4, 13]);
}

/// A process that hangs keeps its connections, and is given up.
#[cfg(unix)]
#[test]
fn a_process_that_gives_no_sign_of_life_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    hosts(folder.path(), 2);
    let arguments = ["hardened_3_rounds", "--wait", "3", "--quiet"];
    let [zero, mut one] = [0, 1].map(|number| process(folder.path(), number, &arguments));
    while !manifest(folder.path(), 1, 3).exists() {
        std::thread::sleep(Duration::from_micros(200));
    }
    let stop = std::process::Command::new("kill").args(["-STOP", &one.id().to_string()]).status().unwrap();
    assert!(stop.success());
    let zero = zero.wait_with_output().unwrap();
    one.kill().unwrap();
    one.wait().unwrap();
    let told = text(&zero.stderr);
    assert_eq!(code(&zero), 3, "{told}");
    assert!(told.contains("has said nothing for 3 s") && told.contains("go on with: "), "{told}");
}

/// Ten times, at layers that no one chose: `cargo test -p zus-cluster --test cluster -- --ignored ten_times`.
#[test]
#[ignore = "half a minute"]
fn killed_ten_times_at_random_layers_it_goes_on() {
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    let layers: Vec<u32> = (0..10).map(|turn| (clock / 1000 + turn * 7919) % 22).collect();
    println!("layers {layers:?}");
    killed_and_resumed(&layers);
}

/// A search that has ended, or is at its limit, has nothing to expand: it tells its report again.
#[test]
fn a_search_with_nothing_left_is_told_again() {
    for (more, due) in [(&[][..], 0), (&["--max-states", "300"], 3)] {
        for processes in ["1", "2"] {
            let folder = tempfile::tempdir().unwrap();
            let arguments =
                [&["local", processes, "two_subrounds", "--format", "json", "--keep"], more].concat();
            let first = run(folder.path(), &arguments);
            let again = run(folder.path(), &[&arguments[..], &["--resume"]].concat());
            assert_eq!(
                [code(&first), code(&again)],
                [due, due],
                "{}{}",
                text(&first.stderr),
                text(&again.stderr)
            );
            assert_eq!(printed(&first), printed(&again), "{processes} processes, {more:?}");
        }
    }
}

/// A process that cannot print its report keeps its layers, and so do the others.
#[cfg(target_os = "linux")]
#[test]
fn layers_stay_until_the_report_is_out() {
    let folder = tempfile::tempdir().unwrap();
    hosts(folder.path(), 2);
    let arguments = ["two_subrounds", "--format", "json"];
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let own = ["check", "--hosts", "hosts.txt", "--process", "0"];
    let mut zero = cluster(folder.path(), &[&own[..], &arguments].concat());
    let zero = zero.stdout(full).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let one = process(folder.path(), 1, &arguments);
    let [zero, one] = [zero, one].map(|child| child.wait_with_output().unwrap());
    assert_eq!([code(&zero), code(&one)], [2, 3], "{}{}", text(&zero.stderr), text(&one.stderr));
    assert!(text(&one.stderr).contains("process 0 is gone"), "{}", text(&one.stderr));
    hosts(folder.path(), 2);
    let resumed = [&arguments[..], &["--resume"]].concat();
    let [zero, one] =
        [0, 1].map(|of| process(folder.path(), of, &resumed)).map(|child| child.wait_with_output().unwrap());
    assert_eq!([code(&zero), code(&one)], [0, 0], "{}{}", text(&zero.stderr), text(&one.stderr));
    assert_eq!(printed(&zero), of_threads("two_subrounds"));
}

/// A search that was stopped at a limit: its layers are there.
fn begun(folder: &Path) {
    let output = run(folder, &["local", "2", NAME, "--max-states", "3000", "--quiet"]);
    assert_eq!(code(&output), 3, "{}", text(&output.stderr));
}

fn refused(output: &Output, says: &[&str]) {
    let told = text(&output.stderr);
    assert_eq!(code(output), 2, "{told}");
    for part in says.iter().chain(&["\n  fix: "]) {
        assert!(told.contains(part), "`{part}` is not in: {told}");
    }
}

#[test]
fn layers_that_are_not_of_this_search_or_not_whole_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let resume = |more: &[&str]| run(at, &[&["local", "2", "--resume", "--format", "json"], more].concat());
    refused(&resume(&[NAME]), &["layer-0000.json: there is no complete layer"]);
    fs::remove_dir_all(at.join("zus-cluster-layers")).unwrap();
    begun(at);
    refused(&run(at, &["local", "2", NAME]), &["there are layers of an earlier search", "--resume"]);
    refused(
        &resume(&["two_subrounds"]),
        &["layer-0000.json: it is of another search: its scenario is hardened, and here it is two_subrounds"],
    );
    refused(&resume(&[NAME, "--hash-seed", "9"]), &["its hash seed is 1, and here it is 9"]);
    refused(&run(at, &["local", "1", NAME, "--resume"]), &["its number of processes is 2, and here it is 1"]);
    let of = |layer: u32, edit: &dyn Fn(String) -> String| {
        let path = manifest(at, 1, layer);
        let before = fs::read_to_string(&path).unwrap();
        fs::write(&path, edit(before.clone())).unwrap();
        let output = resume(&[NAME]);
        fs::write(&path, before).unwrap();
        output
    };
    let version = of(3, &|text| text.replace("\"version\": \"0.1.0, ", "\"version\": \"0.0.9, "));
    refused(
        &version,
        &[
            "layer-0003.json: it is of another search: its version is 0.0.9, layers 2, and here it is 0.1.0, layers 2",
        ],
    );
    refused(&of(2, &|text| text[..text.len() / 2].into()), &["layer-0002.json: "]);
    for figure in ["generated", "unique", "least"] {
        let changed =
            of(4, &|text| text.replacen(&format!("\"{figure}\": "), &format!("\"{figure}\": 1"), 1));
        refused(
            &changed,
            &[
                "layer-0004.json: its content is not what was written",
                "remove layer-0004.json and those after it",
            ],
        );
    }
    let layer = at.join("zus-cluster-layers/process-1/layer-0005");
    let whole = fs::read(&layer).unwrap();
    fs::write(&layer, &whole[..whole.len() - 3]).unwrap();
    let told = resume(&[NAME]);
    refused(
        &told,
        &["layer-0005: it has ", "its ", "states take", "remove layer-0005.json and those after it"],
    );
    let mut other = whole.clone();
    other[whole.len() / 2] ^= 1;
    fs::write(&layer, &other).unwrap();
    refused(&resume(&[NAME]), &["layer-0005: the block at byte 0 is not what was written"]);
    // A manifest that knows another layer.
    fs::write(&layer, &whole).unwrap();
    let another = of(5, &|text| {
        let at = text.find("\"checksum\": ").unwrap() + "\"checksum\": ".len();
        let end = at + text[at..].find(',').unwrap();
        format!("{}12345{}", &text[..at], &text[end..])
    });
    refused(&another, &["layer-0005.json: its content is not what was written"]);
    fs::write(&layer, &other).unwrap();
    // The fix that is printed: the search goes on from the layer before.
    for above in 5.. {
        if fs::remove_file(manifest(at, 1, above)).is_err() {
            break;
        }
    }
    let output = resume(&[NAME]);
    assert_eq!((code(&output), printed(&output)), (0, of_threads(NAME)), "{}", text(&output.stderr));
}

/// Every block is whole, and all of them are there.
#[test]
fn a_layer_with_its_blocks_in_another_order_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let output = run(at, &["local", "2", NAME, "--max-states", "60000", "--quiet"]);
    assert_eq!(code(&output), 3, "{}", text(&output.stderr));
    // The bytes of the first block, from its header.
    let first = |bytes: &[u8]| 20 + u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
    let layers = (0..40).map(|layer| manifest(at, 1, layer).with_extension(""));
    let (layer, bytes) = layers
        .filter_map(|layer| fs::read(&layer).ok().map(|bytes| (layer, bytes)))
        .find(|(_, bytes)| !bytes.is_empty() && first(bytes) < bytes.len())
        .expect("a layer of two blocks");
    let (one, others) = bytes.split_at(first(&bytes));
    fs::write(&layer, [others, one].concat()).unwrap();
    let name = layer.file_name().unwrap().to_str().unwrap();
    let says = format!("{name}: its content is not what was written");
    refused(&run(at, &["local", "2", NAME, "--max-states", "60000", "--resume"]), &[&says]);
}

/// A full disk, here a limit on the size of files, is a stop with a command that goes on.
#[cfg(unix)]
#[test]
fn a_full_disk_is_a_stop_that_goes_on() {
    for memory in ["4GiB", "200KiB"] {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let arguments = ["local", "2", NAME, "--format", "json", "--max-memory", memory];
        let program = cluster(at, &arguments);
        let words: Vec<String> = std::iter::once(program.get_program())
            .chain(program.get_args())
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        // 16 blocks: 8 or 16 KiB, as the shell counts.
        let limited = format!("ulimit -f 16; exec {}", words.join(" "));
        let output =
            std::process::Command::new("sh").args(["-c", &limited]).current_dir(at).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(code(&output), 3, "{told}");
        assert!(
            told.contains("make room there first")
                && told.contains("go on with: zus-cluster local 2 hardened"),
            "{told}"
        );
        let output = run(at, &[&arguments[..], &["--resume"]].concat());
        assert_eq!((code(&output), printed(&output)), (0, of_threads(NAME)), "{}", text(&output.stderr));
    }
}
