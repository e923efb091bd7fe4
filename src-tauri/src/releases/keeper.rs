//! Who keeps this Kith up to date. What a package manager has put here is none of our business.

use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// Kith itself.
    Itself,
    /// The system's package manager.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "Linux alone has such"))]
    System,
    /// Whoever built it.
    Nobody,
}

/// Looks at how this program came here.
pub(crate) fn keeper() -> Keeper {
    let Ok(program) = std::env::current_exe() else { return Keeper::Nobody };
    match of(&program) {
        Keeper::Itself if super::key().is_none() => Keeper::Nobody,
        keeper => keeper,
    }
}

#[cfg(target_os = "linux")]
fn of(program: &Path) -> Keeper {
    let variable = |name| std::env::var_os(name).map(std::path::PathBuf::from);
    if crate::dirs::is_flatpak() || PACKAGED.iter().any(|folder| program.starts_with(folder)) {
        return Keeper::System;
    }
    of_app_image(program, variable("APPIMAGE").as_deref(), variable("APPDIR").as_deref())
}

/// The variables count only if they speak of this program: whatever an AppImage starts inherits them.
#[cfg(target_os = "linux")]
fn of_app_image(program: &Path, image: Option<&Path>, mounted: Option<&Path>) -> Keeper {
    match image {
        Some(image) if image == program || mounted.is_some_and(|mounted| program.starts_with(mounted)) => {
            Keeper::Itself
        }
        _ => Keeper::Nobody,
    }
}

#[cfg(windows)]
fn of(_program: &Path) -> Keeper {
    use tauri::utils::config::BundleType;
    // The installers write into the program which of them brought it.
    match tauri::utils::platform::bundle_type() {
        Some(BundleType::Nsis | BundleType::Msi) => Keeper::Itself,
        _ => Keeper::Nobody,
    }
}

#[cfg(target_os = "macos")]
fn of(program: &Path) -> Keeper {
    let folder = program.parent().filter(|folder| folder.ends_with("Contents/MacOS"));
    let bundle = folder.and_then(|folder| folder.parent()?.parent());
    match bundle.and_then(Path::extension) {
        Some(extension) if extension == "app" => Keeper::Itself,
        _ => Keeper::Nobody,
    }
}

/// Where package managers put programs; a Flatpak's `/app` is known by its file.
#[cfg(target_os = "linux")]
const PACKAGED: [&str; 4] = ["/usr/bin", "/usr/lib", "/snap", "/nix/store"];

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_package_manager_keeps_its_own() {
        assert_eq!(of(Path::new("/usr/bin/kith")), Keeper::System);
    }

    #[test]
    fn an_app_image_is_known_by_its_own_variables_alone() {
        let program = Path::new("/tmp/.mount_KithAb/usr/bin/kith");
        let file = Path::new("/home/mira/Kith.AppImage");
        let image = Some(file);
        let mounted = |path| Some(Path::new(path));
        assert_eq!(of_app_image(program, image, mounted("/tmp/.mount_KithAb")), Keeper::Itself);
        assert_eq!(of_app_image(file, image, None), Keeper::Itself);
        // Started from the terminal of another AppImage, whose file must not be exchanged.
        assert_eq!(of_app_image(program, image, mounted("/tmp/.mount_Other")), Keeper::Nobody);
        assert_eq!(of_app_image(program, None, mounted("/tmp/.mount_KithAb")), Keeper::Nobody);
        assert_eq!(of_app_image(program, image, None), Keeper::Nobody);
    }
}
