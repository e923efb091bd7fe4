//! The packages of the relay.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::packages::Need;
use crate::program::{capture, run};
use crate::step::step;
use crate::tools::cargo;

use super::origin::Origin;
use super::tree::{Tree, filled};
use super::trial;
use super::{deb, rpm};

/// Builds the relay as it is shipped, and packs it.
pub(crate) fn package_relay() -> Result<(), Failure> {
    step("What the packages need", || {
        Need::CCompiler.ensure()?;
        Need::Packaging.ensure()
    })?;
    step("The relay is built", || run(cargo().args(["build", "--release", "--locked", "-p", "kith-relay"])))?;
    let metadata = Metadata::read()?;
    let origin = Origin::read(&metadata)?;
    step("The packages are made", || {
        for package in pack(&origin, &metadata.program("release", "kith-relay"))? {
            anstream::println!("{}", package.display());
        }
        Ok(())
    })
}

/// What [`try_relay`] packs and uses.
pub(crate) fn build_for_trial() -> Result<(), Failure> {
    Need::CCompiler.ensure()?;
    step("Relay and command line are built", || {
        run(cargo().args(["build", "-p", "kith-relay", "-p", "kith-cli", "--bins"]))
    })
}

/// Packs the relay as it was built last, checks the packages, and lets a copy of this system take them in, use them, bring
/// them up to date, and remove them; another does what the page for those who host says.
pub(crate) fn try_relay() -> Result<(), Failure> {
    Need::Packaging.ensure()?;
    Need::Way.ensure()?;
    let metadata = Metadata::read()?;
    let program = metadata.program("debug", "kith-relay");
    let today = Origin::read(&metadata)?;
    let folder = tempfile::tempdir_in(&today.packages)
        .map_err(|error| Failure::at(&today.packages, "written into", &error))?;
    let today = Origin { packages: folder.path().to_owned(), ..today };
    let tomorrow = today.followed_by(&format!("{}+1", today.version));
    let old = pack(&today, &program)?;
    let sums = capture(Command::new("sha256sum").args(&old))?;
    pack(&today, &program)?;
    if capture(Command::new("sha256sum").args(&old))? != sums {
        return Err(Failure::new("Packed a second time, the packages are others: the moment shows in them."));
    }
    let new = pack(&tomorrow, &program)?;
    run(Command::new("lintian").args(["--allow-root", "--fail-on", "error,warning", "--info"]).arg(&old[0]))?;
    run(Command::new("rpmlint")
        .arg("--config")
        .arg(today.root.join("packaging/relay/rpm/rpmlint.toml"))
        .arg(&old[1]))?;
    check_rules(&today)?;
    let cli = metadata.program("debug", "kith-cli");
    let script = today.root.join("packaging/relay/trial");
    for (kind, (old, new)) in ["deb", "rpm"].iter().zip(old.iter().zip(&new)) {
        trial::in_a_copy(&today, &script, &[kind], &[old, new, &cli])?;
    }
    let said = PAGE.map(|file| today.root.join(file));
    let files: Vec<&Path> =
        [&*old[0], &program, &cli].into_iter().chain(said.iter().map(|file| &**file)).collect();
    trial::in_a_copy(&today, &today.root.join("packaging/relay/page"), &[], &files)
}

/// The page for those who host a relay, and what it tells them to put into place.
const PAGE: [&str; 5] = [
    "docs/hosting.md",
    "docs/proxies/nginx.conf",
    "docs/proxies/Caddyfile",
    "server/systemd/kith-relay.service",
    "server/systemd/kith-relay.socket",
];

/// Whether Prometheus takes the alerts. It is unpacked, not installed: a server that runs from then on is no guest of ours.
fn check_rules(origin: &Origin) -> Result<(), Failure> {
    let folder = origin.packages.join("prometheus");
    fs::create_dir(&folder).map_err(|error| Failure::at(&folder, "created", &error))?;
    capture(Command::new("apt-get").current_dir(&folder).args(["download", "-q", "prometheus"]))?;
    let files = fs::read_dir(&folder).map_err(|error| Failure::at(&folder, "read", &error))?;
    for package in files
        .flatten()
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|end| end == "deb"))
    {
        capture(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&folder))?;
    }
    let rules = origin.root.join("packaging/monitoring/kith-relay.rules.yml");
    run(Command::new(folder.join("usr/bin/promtool")).args(["check", "rules"]).arg(rules))
}

/// The package for Debian, and that for Fedora.
fn pack(origin: &Origin, program: &Path) -> Result<[PathBuf; 2], Failure> {
    let tree = tree(origin, program)?;
    let texts = origin.root.join("packaging/relay");
    let rpm = rpm::pack(origin, &tree, &texts.join("rpm/kith-relay.spec"))?;
    let mut tree = tree;
    let mit = origin.text("LICENSE-MIT")?;
    let mit: String = mit
        .lines()
        .map(|line| if line.is_empty() { " .\n".to_owned() } else { format!(" {line}\n") })
        .collect();
    let copyright = filled(&origin.text("packaging/relay/deb/copyright")?, &[("mit", mit.trim_end())]);
    tree.put("usr/share/doc/kith-relay/copyright", copyright)?;
    let changelog = origin.text("packaging/relay/deb/changelog")?;
    let changelog = filled(&changelog, &[("version", &origin.version), ("date", &origin.date()?)]);
    tree.put_packed(origin, "usr/share/doc/kith-relay/changelog", &changelog)?;
    let deb = deb::pack(origin, "kith-relay", &tree, &texts.join("deb"))?;
    Ok([deb, rpm])
}

/// What both packages hold.
fn tree(origin: &Origin, program: &Path) -> Result<Tree, Failure> {
    let mut tree = Tree::new(origin)?;
    tree.put_program("usr/bin/kith-relay", program)?;
    tree.put("usr/lib/systemd/system/kith-relay.service", origin.text("server/systemd/kith-relay.service")?)?;
    tree.put("usr/share/doc/kith-relay/hosting.md", origin.text("docs/hosting.md")?)?;
    tree.put_packed(
        origin,
        "usr/share/man/man8/kith-relay.8",
        &origin.text("packaging/relay/kith-relay.8")?,
    )?;
    for (shell, path) in COMPLETIONS {
        tree.put(path, capture(Command::new(program).args(["completions", shell]))?)?;
    }
    Ok(tree)
}

const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/kith-relay"),
    ("fish", "usr/share/fish/vendor_completions.d/kith-relay.fish"),
    ("zsh", "usr/share/zsh/site-functions/_kith-relay"),
];
