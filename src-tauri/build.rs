//! Lets Tauri read its configuration, and finds the message files. Nothing without the `desktop` feature.

fn main() {
    #[cfg(feature = "desktop")]
    desktop();
}

#[cfg(feature = "desktop")]
fn desktop() {
    // A checkout whose UI was not built yet still checks and tests.
    if std::fs::create_dir_all("ui/dist").is_err() {
        println!("cargo:warning=ui/dist cannot be made: build the UI first");
    }
    for watched in ["src-tauri/capabilities", "src-tauri/icons", "tauri.conf.json", "ui/dist", "ui/messages"]
    {
        println!("cargo:rerun-if-changed={watched}");
    }
    messages();
    let attributes =
        tauri_build::Attributes::new().capabilities_path_pattern("./src-tauri/capabilities/**/*");
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("{error:#}");
    }
}

/// A language is a file: tray and notifications have all that the UI has.
#[cfg(feature = "desktop")]
fn messages() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo names the folder of the package");
    let out = std::env::var("OUT_DIR").expect("cargo names the folder for what is made");
    let mut names: Vec<String> = std::fs::read_dir("ui/messages")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect();
    names.sort();
    let rows = names.iter().map(|name| {
        let path = std::path::Path::new(&root).join("ui/messages").join(format!("{name}.json"));
        format!("({name:?}, include_str!({:?})),", path.display().to_string())
    });
    let list = format!("&[{}]", rows.collect::<String>());
    std::fs::write(format!("{out}/messages.rs"), list).expect("the folder for what is made can be written");
}
