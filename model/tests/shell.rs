//! The texts that are made from the command line itself: `--help`, completions, man pages.

use std::{
    fs,
    process::{Command, Output},
};

fn zus(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_zus")).args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The commands that `zus --help` lists.
fn commands() -> Vec<String> {
    let help = text(&zus(&["--help"]));
    let listed = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|&n| n != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_has_a_help_with_examples_and_exit_codes() {
    let commands = commands();
    assert!(commands.len() >= 11 && !commands.contains(&"measure".to_owned()), "{commands:?}");
    for command in &commands {
        let help = text(&zus(&[command, "--help"]));
        assert!(help.contains("Example"), "{command}: no example");
        assert!(help.contains(&format!("  zus {command} ")), "{command}: no example of its own:\n{help}");
        assert!(help.contains("Exit code: "), "{command}: no exit codes");
    }
    assert!(text(&zus(&["--help"])).contains("Examples:"));
}

#[test]
fn shells_complete_every_command_and_its_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = text(&zus(&["completions", shell]));
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
        }
        let option = if shell == "fish" { "-l baseline" } else { "--baseline" };
        assert!(script.contains(option), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("zus.bash");
    fs::write(&script, text(&zus(&["completions", "bash"]))).unwrap();
    // Bash itself, where it is: what it offers after `zus check --bas`.
    let ask = format!(
        "source {} && COMP_WORDS=(zus check --bas) COMP_CWORD=2 && _zus zus --bas check && echo \"${{COMPREPLY[@]}}\"",
        script.display()
    );
    match Command::new("bash").args(["-c", &ask]).output() {
        Ok(output) => assert_eq!(text(&output).trim(), "--baseline"),
        Err(error) => eprintln!("skipped: no bash: {error}"),
    }
    assert_eq!(zus(&["completions", "tcsh"]).status.code(), Some(2));
}

#[test]
fn every_command_has_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    text(&zus(&["man", pages.to_str().unwrap()]));
    let mut names = commands();
    assert!(!pages.join("zus-measure.1").exists(), "what is hidden has none");
    names.push(String::new());
    for name in names {
        let file = if name.is_empty() { "zus.1".into() } else { format!("zus-{name}.1") };
        let page = fs::read_to_string(pages.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(page.contains(".SH NAME") && page.contains("Exit code"), "{file}");
    }
    fs::write(folder.path().join("file"), "").unwrap();
    let refused = zus(&["man", folder.path().join("file/below").to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
}

/// Escape sequences are for terminals that want them.
#[test]
fn colour_is_for_terminals_only() {
    let plain = zus(&["check", "late_better_rank", "-v"]);
    assert!(!plain.stdout.contains(&0x1b), "a pipe gets none");
    // `script` gives it a terminal; where there is none, nothing is checked.
    let on_terminal = |environment: &str| {
        let command = format!("{environment} {} check late_better_rank -v", env!("CARGO_BIN_EXE_zus"));
        let output = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .env_remove("CI")
            .output();
        output.ok().filter(|o| o.status.success()).map(|o| o.stdout)
    };
    let Some(coloured) = on_terminal("env") else {
        eprintln!("skipped: script(1) is not here");
        return;
    };
    let style = b"\x1b[1m";
    let has = |text: &[u8]| text.windows(style.len()).any(|w| w == style);
    assert!(has(&coloured), "a terminal gets bold");
    assert!(!has(&on_terminal("NO_COLOR=1").unwrap()), "unless NO_COLOR is set");
    assert!(!has(&on_terminal("TERM=dumb").unwrap()), "or it is a dumb one");
}
