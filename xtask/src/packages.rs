//! What the system has to bring along, installed by its own package manager when it is missing.

use std::env;
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::program::{run, typed};

/// Something that cargo cannot bring along.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// SQLite and ring are compiled from C.
    CCompiler,
    /// The fuzzer's engine is compiled from C++.
    CxxCompiler,
    /// On Linux, some tests keep a key in a key store of their own.
    SecretService,
}

impl Need {
    /// Installs the packages, if what they hold is not there yet.
    pub(crate) fn ensure(self) -> Result<(), Failure> {
        if self.is_there() {
            return Ok(());
        }
        let Some(manager) = Manager::ALL.into_iter().find(|manager| manager.is_there()) else {
            return Err(Failure::new(format!(
                "Kith needs {}, and there is no package manager that I know.",
                self.name()
            )));
        };
        for mut command in manager.install(self) {
            run(&mut command).map_err(|failure| {
                Failure::new(format!("{failure} Kith needs {}: run `{}`.", self.name(), typed(&command)))
            })?;
        }
        Ok(())
    }

    fn is_there(self) -> bool {
        match self {
            Self::CCompiler => has_compiler("CC", &["cc", "gcc", "clang"]),
            Self::CxxCompiler => has_compiler("CXX", &["c++", "g++", "clang++"]),
            Self::SecretService => {
                let programs = ["dbus-daemon", "dbus-send", "dbus-monitor", "gnome-keyring-daemon"];
                cfg!(not(target_os = "linux")) || programs.into_iter().all(starts)
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::CCompiler => "a C compiler",
            Self::CxxCompiler => "a C++ compiler",
            Self::SecretService => "a message bus and a key store (dbus-daemon, gnome-keyring)",
        }
    }
}

fn has_compiler(variable: &str, names: &[&str]) -> bool {
    // Rust's own linker for MSVC comes with the compiler, and is found without the path.
    cfg!(target_env = "msvc") || env::var_os(variable).is_some() || names.iter().copied().any(starts)
}

fn starts(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Not every program knows the flag, and ends well.
    command.status().is_ok()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
    Pacman,
    Zypper,
    Brew,
}

impl Manager {
    const ALL: [Self; 5] = [Self::Apt, Self::Dnf, Self::Pacman, Self::Zypper, Self::Brew];

    fn is_there(self) -> bool {
        starts(self.program())
    }

    fn program(self) -> &'static str {
        match self {
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Pacman => "pacman",
            Self::Zypper => "zypper",
            Self::Brew => "brew",
        }
    }

    /// The commands to run one after the other.
    fn install(self, need: Need) -> Vec<Command> {
        let packages = self.packages(need);
        match self {
            Self::Apt => vec![
                self.as_root(&["update", "-q"], &[]),
                self.as_root(&["install", "-y", "-q", "--no-install-recommends"], packages),
            ],
            Self::Dnf => vec![self.as_root(&["install", "-y"], packages)],
            Self::Pacman => vec![self.as_root(&["-S", "--needed", "--noconfirm"], packages)],
            Self::Zypper => vec![self.as_root(&["--non-interactive", "install"], packages)],
            Self::Brew => {
                let mut command = Command::new(self.program());
                command.arg("install").args(packages);
                vec![command]
            }
        }
    }

    fn packages(self, need: Need) -> &'static [&'static str] {
        match (self, need) {
            (Self::Apt, Need::SecretService) => &["dbus-bin", "dbus-daemon", "gnome-keyring"],
            (Self::Apt, _) => &["build-essential"],
            (Self::Dnf, Need::SecretService) => &["dbus-daemon", "dbus-tools", "gnome-keyring"],
            (Self::Zypper, Need::SecretService) => &["dbus-1", "gnome-keyring"],
            (Self::Dnf | Self::Zypper, Need::CCompiler) => &["gcc", "make"],
            (Self::Dnf | Self::Zypper, Need::CxxCompiler) => &["gcc-c++", "make"],
            (Self::Pacman, Need::SecretService) => &["dbus", "gnome-keyring"],
            (Self::Pacman, _) => &["base-devel"],
            (Self::Brew, Need::SecretService) => &["dbus"],
            (Self::Brew, _) => &["llvm"],
        }
    }

    fn as_root(self, arguments: &[&str], packages: &[&str]) -> Command {
        let mut command = if is_root() {
            Command::new(self.program())
        } else {
            let mut sudo = Command::new("sudo");
            sudo.arg(self.program());
            sudo
        };
        command.args(arguments).args(packages);
        command
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
