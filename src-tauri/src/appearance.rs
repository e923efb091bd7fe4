//! Whether the panel of the desktop is dark.

/// Of GNOME's it is known; else the colours that the person prefers are taken for those of the panel.
#[cfg(target_os = "linux")]
pub(crate) fn panel_is_dark() -> bool {
    let desktop = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
    if desktop.split(':').any(|part| part.eq_ignore_ascii_case("gnome")) {
        return true;
    }
    prefers_dark().unwrap_or(true)
}

#[cfg(target_os = "linux")]
fn prefers_dark() -> Option<bool> {
    use zbus::zvariant::{OwnedValue, Value};
    let bus = zbus::blocking::connection::Builder::session().ok()?;
    let bus = bus.method_timeout(std::time::Duration::from_secs(1)).build().ok()?;
    let answer = bus.call_method(
        Some("org.freedesktop.portal.Desktop"),
        "/org/freedesktop/portal/desktop",
        Some("org.freedesktop.portal.Settings"),
        "Read",
        &("org.freedesktop.appearance", "color-scheme"),
    );
    let value: OwnedValue = answer.ok()?.body().deserialize().ok()?;
    // Older portals wrap the value twice.
    let number = |value: &Value<'_>| match value {
        Value::U32(number) => Some(*number),
        Value::Value(inner) => match &**inner {
            Value::U32(number) => Some(*number),
            _ => None,
        },
        _ => None,
    };
    match number(&value)? {
        1 => Some(true),
        2 => Some(false),
        _ => None,
    }
}
