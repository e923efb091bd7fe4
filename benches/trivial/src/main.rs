//! The shell without a chat: the app's window with a page of one line, and its icon in the tray. It does what any program
//! of this kind does, in the shortest way; the app is measured against it.

#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports, reason = "it is measured on Linux"))]

use std::process::ExitCode;
use tauri::utils::config::Color;
use tauri::webview::NewWindowResponse;
use tauri::{AppHandle, Manager as _, RunEvent, WebviewUrl, WebviewWindowBuilder, WindowEvent};

fn main() -> ExitCode {
    let app = tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![drawn])
        .on_window_event(|window, event| {
            if let WindowEvent::CloseRequested { api, .. } = event {
                api.prevent_close();
                if let Err(error) = window.destroy() {
                    eprintln!("the window cannot be hidden: {error}");
                }
            }
        })
        .setup(|app| {
            #[cfg(target_os = "linux")]
            icon::show(app.handle())?;
            if !std::env::args().any(|argument| argument == "--hidden") {
                open(app.handle())?;
            }
            Ok(())
        })
        .build(tauri::generate_context!());
    match app {
        Ok(app) => app.run(|_, event| {
            if let RunEvent::ExitRequested { code: None, api, .. } = event {
                api.prevent_exit();
            }
        }),
        Err(error) => {
            eprintln!("the window system does not answer: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// There is something to see.
#[tauri::command]
fn drawn() {
    eprintln!("drawn");
}

/// The window, as the app makes it.
fn open(app: &AppHandle) -> tauri::Result<()> {
    if app.get_webview_window(LABEL).is_some() {
        return Ok(());
    }
    let mut builder = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Trivial")
        .inner_size(1080.0, 740.0)
        .min_inner_size(360.0, 420.0)
        .theme(Some(tauri::Theme::Light))
        .background_color(Color(255, 255, 255, 255))
        .disable_drag_drop_handler()
        .on_navigation(|url| url.scheme() == "tauri" || url.as_str() == "about:blank")
        .on_new_window(|_, _| NewWindowResponse::Deny);
    if let Some(home) = std::env::var_os("KITH_HOME") {
        builder = builder.data_directory(std::path::Path::new(&home).join("web"));
    }
    let window = builder.build()?;
    window.show()?;
    window.set_focus()
}

const LABEL: &str = "main";

#[cfg(target_os = "linux")]
mod icon {
    use ksni::blocking::TrayMethods as _;
    use tauri::image::Image;
    use tauri::{AppHandle, Manager as _};

    struct Icon(AppHandle);

    /// Puts it there, for as long as the program runs.
    pub(crate) fn show(app: &AppHandle) -> Result<(), ksni::Error> {
        let shown = Icon(app.clone()).assume_sni_available(true).spawn()?;
        // It goes with its handle.
        app.manage(shown);
        Ok(())
    }

    impl ksni::Tray for Icon {
        fn id(&self) -> String {
            "kith".into()
        }

        fn icon_pixmap(&self) -> Vec<ksni::Icon> {
            let Ok(picture) = Image::from_bytes(PICTURE) else { return Vec::new() };
            let data = picture.rgba().chunks_exact(4).flat_map(|pixel| match pixel {
                [r, g, b, a] => [*a, *r, *g, *b],
                _ => [0; 4],
            });
            vec![ksni::Icon {
                width: i32::try_from(picture.width()).unwrap_or(0),
                height: i32::try_from(picture.height()).unwrap_or(0),
                data: data.collect(),
            }]
        }

        fn activate(&mut self, _x: i32, _y: i32) {
            let app = self.0.clone();
            let queued = self.0.run_on_main_thread(move || {
                if let Err(error) = super::open(&app) {
                    eprintln!("the window cannot be shown: {error}");
                }
            });
            if let Err(error) = queued {
                eprintln!("the program is ending: {error}");
            }
        }
    }

    const PICTURE: &[u8] = include_bytes!("../../../src-tauri/icons/tray/idle-dark.png");
}
