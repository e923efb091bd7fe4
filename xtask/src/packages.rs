//! What the system has to bring along, installed by its own package manager when it is missing.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::program::{answers, run, typed};

/// Something that cargo cannot bring along.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "packages are made and tried on Linux alone")
)]
pub(crate) enum Need {
    /// SQLite and ring are compiled from C.
    CCompiler,
    /// The fuzzer's engine is compiled from C++.
    CxxCompiler,
    /// On Linux, some tests keep a key in a key store of their own.
    SecretService,
    /// On Linux, what the window is drawn with; elsewhere the system has it.
    WebView,
    /// The window's content is built by Vite.
    Node,
    /// The browser in which the window's content is tested without a window, and fonts for what is written in it.
    Browser,
    /// On Linux, a desktop without a screen: display, window manager, notifications, and what drives a web view.
    Desktop,
    /// On Linux, what a relay meets on the way to its devices: an authority that issues certificates, and two proxies.
    Way,
    /// On Debian and its kin, what makes packages, looks through them, and gives a network to who tries them.
    Packaging,
    /// On Debian and its kin, a linker for Windows, and Wine to run what it has linked.
    Windows,
    /// On Debian, the standard library's source and the compiler that it belongs to.
    RustSource,
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

    /// Debian's packages are tried where its kin can take them.
    #[cfg(target_os = "linux")]
    pub(crate) fn can_try_packages() -> bool {
        Manager::Apt.is_there()
    }

    fn is_there(self) -> bool {
        match self {
            Self::CCompiler => has_compiler("CC", &["cc", "gcc", "clang"]),
            Self::CxxCompiler => has_compiler("CXX", &["c++", "g++", "clang++"]),
            _ if cfg!(not(target_os = "linux")) && self.is_of_linux() => true,
            Self::SecretService => {
                ["dbus-daemon", "dbus-send", "dbus-monitor", "gnome-keyring-daemon"].into_iter().all(starts)
            }
            Self::WebView => answers(Command::new("pkg-config").args(["--exists", "webkit2gtk-4.1"])),
            Self::Node => starts("node") && answers(npm().arg("--version")),
            Self::Browser => {
                ["chromium", "chromium-browser", "google-chrome"].into_iter().any(starts) && has_fonts()
            }
            Self::Desktop => DESKTOP_PROGRAMS.into_iter().all(starts),
            // Debian keeps nginx where only its administrator looks.
            Self::Way => {
                ["pebble", "caddy", "openssl"].into_iter().all(starts)
                    && ["nginx", "/usr/sbin/nginx"].into_iter().any(starts)
            }
            Self::Packaging => PACKAGING_PROGRAMS.into_iter().all(starts),
            Self::Windows => starts("x86_64-w64-mingw32-gcc") && starts("/usr/lib/wine/wine64"),
            Self::RustSource => Path::new("/usr/lib/rustlib/src/rust").exists() && starts("/usr/bin/rustc"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::CCompiler => "a C compiler",
            Self::CxxCompiler => "a C++ compiler",
            Self::SecretService => "a message bus and a key store (dbus-daemon, gnome-keyring)",
            Self::WebView => "WebKitGTK 4.1 with its headers",
            Self::Node => "Node.js 20 or newer, with npm",
            Self::Browser => "Chromium, and the Noto fonts",
            Self::Desktop => "a desktop without a screen (Xvfb, openbox, dunst, WebKitWebDriver)",
            Self::Way => "an authority for certificates and two proxies (pebble, caddy, nginx)",
            Self::Packaging => {
                "what makes and checks packages (dpkg-dev, lintian, rpm, rpmlint, flatpak-builder)"
            }
            Self::Windows => "a linker for Windows, and Wine (gcc-mingw-w64-x86-64, wine64)",
            Self::RustSource => "the source of Rust's standard library (rust-web-src)",
        }
    }

    fn is_of_linux(self) -> bool {
        matches!(self, Self::SecretService | Self::WebView | Self::Browser | Self::Desktop | Self::Way)
    }
}

fn has_compiler(variable: &str, names: &[&str]) -> bool {
    // Rust's own linker for MSVC comes with the compiler, and is found without the path.
    cfg!(target_env = "msvc") || env::var_os(variable).is_some() || names.iter().copied().any(starts)
}

/// Whether the writing systems of the pictures, and emoji, can be drawn.
fn has_fonts() -> bool {
    ["Noto Sans", "Noto Sans Arabic", "Noto Sans CJK SC", "Noto Color Emoji"].into_iter().all(|family| {
        let listed = Command::new("fc-list").arg(family).output();
        listed.is_ok_and(|listed| !listed.stdout.is_empty())
    })
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
            (Self::Apt, Need::CCompiler | Need::CxxCompiler) => &["build-essential"],
            (Self::Apt, Need::SecretService) => &["dbus-bin", "dbus-daemon", "gnome-keyring"],
            (Self::Apt, Need::WebView) => &["pkg-config", "libwebkit2gtk-4.1-dev"],
            (Self::Apt, Need::Desktop) => &[
                "xvfb",
                "xauth",
                "openbox",
                "dbus-x11",
                "dunst",
                "xdotool",
                "imagemagick",
                "webkit2gtk-driver",
                "wmctrl",
                "xfce4-panel",
                "xfconf",
            ],
            (Self::Apt, Need::Way) => &["pebble", "caddy", "nginx-light", "openssl"],
            // Pebble is in none of them: `go install github.com/letsencrypt/pebble/v2/cmd/pebble@latest`.
            (Self::Dnf | Self::Zypper | Self::Pacman, Need::Way) => &["caddy", "nginx", "openssl"],
            (Self::Apt, Need::Packaging) => &[
                "adduser",
                "appstream",
                "desktop-file-utils",
                "dpkg-dev",
                "flatpak-builder",
                "iproute2",
                "libglib2.0-bin",
                "lintian",
                "man-db",
                "procps",
                "rpm",
                "rpmlint",
                "systemd",
            ],
            (Self::Apt, Need::Windows) => &["gcc-mingw-w64-x86-64", "wine64"],
            (Self::Apt, Need::RustSource) => &["rustc-web", "rust-web-src"],
            (Self::Apt, Need::Browser) => {
                &["chromium", "fontconfig", "fonts-noto-core", "fonts-noto-cjk", "fonts-noto-color-emoji"]
            }
            (Self::Dnf | Self::Zypper, Need::CCompiler) => &["gcc", "make"],
            (Self::Dnf | Self::Zypper, Need::CxxCompiler) => &["gcc-c++", "make"],
            (Self::Dnf, Need::SecretService) => &["dbus-daemon", "dbus-tools", "gnome-keyring"],
            (Self::Dnf, Need::WebView) => &["pkgconf-pkg-config", "webkit2gtk4.1-devel"],
            (Self::Dnf, Need::Desktop) => &[
                "xorg-x11-server-Xvfb",
                "openbox",
                "dbus-x11",
                "dunst",
                "xdotool",
                "ImageMagick",
                "webkit2gtk-driver",
                "wmctrl",
                "xfce4-panel",
            ],
            (Self::Dnf, Need::Browser) => &["chromium", "google-noto-*-fonts"],
            (Self::Zypper, Need::SecretService) => &["dbus-1", "gnome-keyring"],
            (Self::Zypper, Need::WebView) => &["pkgconf-pkg-config", "webkit2gtk3-devel"],
            (Self::Zypper, Need::Desktop) => &[
                "xorg-x11-server-Xvfb",
                "openbox",
                "dbus-1-x11",
                "dunst",
                "xdotool",
                "ImageMagick",
                "WebKitWebDriver",
                "wmctrl",
                "xfce4-panel",
            ],
            (Self::Zypper, Need::Browser) => &["chromium", "google-noto-fonts", "noto-coloremoji-fonts"],
            (Self::Pacman, Need::CCompiler | Need::CxxCompiler) => &["base-devel"],
            (Self::Pacman, Need::SecretService) => &["dbus", "gnome-keyring"],
            (Self::Pacman, Need::WebView) => &["pkgconf", "webkit2gtk-4.1"],
            (Self::Pacman, Need::Desktop) => {
                &["xorg-server-xvfb", "openbox", "dunst", "xdotool", "imagemagick", "wmctrl", "xfce4-panel"]
            }
            (Self::Pacman, Need::Browser) => {
                &["chromium", "noto-fonts", "noto-fonts-cjk", "noto-fonts-emoji"]
            }
            (Self::Brew, Need::CCompiler | Need::CxxCompiler) => &["llvm"],
            (Self::Brew, Need::Node) => &["node"],
            (Self::Brew, Need::SecretService | Need::WebView | Need::Desktop | Need::Way) => &[],
            (_, Need::Node) => &["nodejs", "npm"],
            (
                Self::Dnf | Self::Zypper | Self::Pacman | Self::Brew,
                Need::Packaging | Need::Windows | Need::RustSource,
            ) => &[],
            (Self::Brew, Need::Browser) => &["chromium"],
        }
    }

    fn as_root(self, arguments: &[&str], packages: &[&str]) -> Command {
        let mut command = as_root(self.program());
        command.args(arguments).args(packages);
        command
    }
}

/// On Windows npm is a script that only its full name starts.
pub(crate) fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

/// A program that is run as root, by whoever runs this.
pub(crate) fn as_root(program: &str) -> Command {
    if is_root() {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    sudo.arg(program);
    sudo
}

const PACKAGING_PROGRAMS: [&str; 13] = [
    "adduser",
    "appstreamcli",
    "desktop-file-validate",
    "dpkg-shlibdeps",
    "flatpak-builder",
    "gio",
    "ip",
    "lintian",
    "man",
    "pgrep",
    "rpmbuild",
    "rpmlint",
    "systemd-analyze",
];
const DESKTOP_PROGRAMS: [&str; 8] =
    ["Xvfb", "openbox", "dunst", "xdotool", "import", "WebKitWebDriver", "wmctrl", "xfce4-panel"];

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
