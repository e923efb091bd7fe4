//! From the first line of `main` to the last.

use crate::commands;
use crate::dirs::Dirs;
use crate::log;
use crate::releases;
use crate::shell::Shell;
use crate::system::System;
use crate::window::Window;
use kith_client::Access;
use kith_client::keys::{Choice, Passphrase};
use std::process::ExitCode;
use std::time::Duration;
use tauri::{AppHandle, Manager as _, RunEvent, WindowEvent};
use tauri_plugin_deep_link::DeepLinkExt as _;
use tauri_plugin_window_state::StateFlags;
use tokio::time::timeout;

/// Runs the app until it is quit.
pub fn run() -> ExitCode {
    before_gtk();
    let Some(dirs) = Dirs::of_system() else {
        return failed("this account has no home directory: set KITH_HOME to a folder");
    };
    log::start(&dirs.logs);
    // The engine's sockets and timers; D-Bus has threads of its own, and never runs on this.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("the system gives no threads: {error}")),
    };
    tauri::async_runtime::set(runtime.handle().clone());
    let shell = {
        let _entered = runtime.enter();
        Shell::new(dirs, Box::new(access))
    };
    match app(shell.clone()) {
        Ok(app) => app.run(move |app, event| on_event(app, &shell, event)),
        Err(error) => return failed(&format!("the window system does not answer: {error}")),
    }
    ExitCode::SUCCESS
}

fn app(shell: Shell) -> tauri::Result<tauri::App> {
    let mut context = tauri::generate_context!();
    if let Some(suffix) = shell.dirs().suffix() {
        // Two homes are two apps: each has its own bus name, window places and lock.
        context.config_mut().identifier = format!("{}.{suffix}", context.config().identifier);
    }
    releases::configure(context.config_mut());
    let commands = commands::builder::<tauri::Wry>();
    let second = shell.clone();
    tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(move |_, arguments, _| started_again(&second, &arguments)))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_autostart::Builder::new().arg(HIDDEN).app_name("Kith").build())
        .plugin(
            tauri_plugin_window_state::Builder::new()
                .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
                .build(),
        )
        .plugin(tauri_plugin_opener::Builder::new().open_js_links_on_click(false).build())
        .plugin(tauri_plugin_dialog::init())
        .plugin(releases::plugin())
        .plugin(of_system())
        .manage(shell.clone())
        .invoke_handler(commands.invoke_handler())
        .on_window_event(on_window_event)
        .setup(move |app| {
            set_up(app.handle(), &shell)?;
            Ok(())
        })
        .build(context)
}

/// What only some systems need.
#[cfg(target_os = "macos")]
fn of_system() -> tauri::plugin::TauriPlugin<tauri::Wry> {
    tauri_plugin_notification::init()
}

#[cfg(not(target_os = "macos"))]
fn of_system() -> tauri::plugin::TauriPlugin<tauri::Wry> {
    tauri::plugin::Builder::new("nothing-more").build()
}

fn set_up(app: &AppHandle, shell: &Shell) -> std::io::Result<()> {
    shell.seated(Box::new(System::new(app, shell)?));
    shell.note_autostart();
    let hidden = std::env::args().any(|argument| argument == HIDDEN);
    tauri::async_runtime::spawn(shell.feed().clone().run());
    let opening = shell.clone();
    tauri::async_runtime::spawn(async move {
        opening.set_alarm(opening.do_not_disturb());
        opening.tray_changed();
        opening.open_all().await;
        opening.follow_releases().await;
    });
    let ending = app.clone();
    tauri::async_runtime::spawn(async move {
        asked_to_end().await;
        ending.exit(0);
    });
    if hidden {
        // After a start at login the tray may come later than the app. A window with no tray to come back from would be lost.
        let asked = shell.clone();
        tauri::async_runtime::spawn(async move {
            if !asked.tray_comes(TRAY_COMES_MAX).await {
                tracing::info!("nothing shows tray icons: the window is shown");
                asked.lead_to(None, None);
            }
        });
    }
    let linked = shell.clone();
    app.deep_link().on_open_url(move |event| {
        for url in event.urls() {
            linked.opened_link(url.as_str());
        }
    });
    register_scheme(app);
    if let Ok(Some(urls)) = app.deep_link().get_current() {
        urls.iter().for_each(|url| shell.opened_link(url.as_str()));
    }
    if !hidden {
        shell.lead_to(None, None);
    }
    Ok(())
}

/// Waits for the system to say that it is time: the person logs out, or somebody presses Ctrl-C.
#[cfg(unix)]
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Windows ends its windows itself.
#[cfg(not(unix))]
async fn asked_to_end() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Installers register the scheme; what was not installed does it itself, but not for a home that stands apart.
fn register_scheme(app: &AppHandle) {
    if cfg!(target_os = "macos") || std::env::var_os("KITH_HOME").is_some() {
        return;
    }
    if let Err(error) = app.deep_link().register_all() {
        tracing::warn!(%error, "links to Kith will not open it");
    }
}

/// Another start of the app, which has ended already. A link among its arguments has been told by the plugin for links.
fn started_again(shell: &Shell, arguments: &[String]) {
    if !arguments.iter().any(|argument| argument == HIDDEN) {
        shell.lead_to(None, None);
    }
}

fn on_window_event(window: &tauri::Window, event: &WindowEvent) {
    let shell = window.state::<Shell>().inner().clone();
    match event {
        WindowEvent::CloseRequested { api, .. } => {
            api.prevent_close();
            if let Ok(desk) = shell.desk() {
                desk.close();
            }
        }
        WindowEvent::Focused(focused) => {
            let focused = *focused;
            tauri::async_runtime::spawn(async move { shell.focus(focused).await });
        }
        WindowEvent::Destroyed => {
            // At once: the next window may already be on its way.
            shell.forget_window();
            if let Some(gone) = window.try_state::<Window>() {
                gone.gone();
            }
            tauri::async_runtime::spawn(async move { shell.apply_attention().await });
        }
        _ => {}
    }
}

fn on_event(_app: &AppHandle, shell: &Shell, event: RunEvent) {
    match event {
        // The last window is gone, and the tray stays.
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        RunEvent::Exit => {
            let ended = tauri::async_runtime::block_on(async { timeout(END_MAX, shell.shut_down()).await });
            if ended.is_err() {
                tracing::warn!("the profiles did not end in time");
            }
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { has_visible_windows: false, .. } => shell.lead_to(None, None),
        _ => {}
    }
}

/// Where keys are, and whom to ask for a passphrase: the window, which does so by `unlock`.
fn access(choice: Choice) -> Access {
    let given = std::env::var("KITH_PASSPHRASE").ok().and_then(Passphrase::new);
    match (choice, given) {
        (Choice::Best, Some(passphrase)) => Access::new(Choice::Passphrase(passphrase)),
        (choice, _) => Access::new(choice),
    }
}

/// Tells WebKit how to draw where its own choice is a bad one. Nothing else runs yet that could read the environment.
#[cfg(target_os = "linux")]
fn before_gtk() {
    use std::path::Path;
    let nvidia = Path::new("/proc/driver/nvidia/version").exists();
    let no_card = !Path::new("/dev/dri").exists();
    let switches = [
        // It draws nothing on NVIDIA's driver with its newest renderer. Elsewhere the older one is much slower: 56 ms a frame
        // instead of 16. Without a card neither has anything to draw on.
        ("WEBKIT_DISABLE_DMABUF_RENDERER", nvidia || no_card),
        // Without a graphics card it puts layers together on one that the processor plays: 35 ms a frame. To draw what has
        // changed, and no layers, takes less than 16, and 60 MiB less.
        ("WEBKIT_DISABLE_COMPOSITING_MODE", no_card),
    ];
    for (name, _) in switches.into_iter().filter(|(_, wanted)| *wanted) {
        if let Err(error) = gtk::glib::setenv(name, "1", false) {
            eprintln!("Kith draws as WebKit chooses: {error}");
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn before_gtk() {}

fn failed(why: &str) -> ExitCode {
    tracing::error!(why, "Kith cannot start");
    eprintln!("Kith cannot start: {why}");
    ExitCode::FAILURE
}

const HIDDEN: &str = "--hidden";
/// The engines have threads of their own: this is for sockets and timers.
const WORKERS: usize = 2;
const TRAY_COMES_MAX: Duration = Duration::from_secs(10);
const END_MAX: Duration = Duration::from_secs(8);
