//! Who people are.

use super::TheShell;
use crate::failure::Outcome;
use crate::ipc::{Person, ProfileId};
use kith_client::RequestError;

/// Everybody of whom this device knows a name.
#[tauri::command]
#[specta::specta]
pub(crate) async fn known_people(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Vec<Person>> {
    let profile = shell.profile(&profile)?;
    profile.refresh_names().await?;
    Ok(profile.names().all().cloned().collect())
}

/// People whose handle or name begins with this: asks the relay, and without a connection those who are known here.
#[tauri::command]
#[specta::specta]
pub(crate) async fn find_people(
    shell: TheShell<'_>,
    profile: ProfileId,
    prefix: String,
) -> Outcome<Vec<Person>> {
    let profile = shell.profile(&profile)?;
    let wanted = prefix.trim().trim_start_matches('@').to_lowercase();
    match profile.client()?.people(&wanted).await {
        Ok(people) => {
            profile.refresh_names().await?;
            let names = profile.names();
            Ok(people.iter().map(|person| names.among(person)).collect())
        }
        Err(RequestError::Offline | RequestError::Lost | RequestError::TimedOut) => {
            let fits = |person: &&Person| {
                person.handle.starts_with(&wanted) || person.name.to_lowercase().starts_with(&wanted)
            };
            Ok(profile.names().all().filter(fits).cloned().collect())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whoever has this handle, with or without `@`.
#[tauri::command]
#[specta::specta]
pub(crate) async fn lookup(shell: TheShell<'_>, profile: ProfileId, handle: String) -> Outcome<Person> {
    let profile = shell.profile(&profile)?;
    let person = profile.client()?.lookup(&handle).await?;
    profile.refresh_names().await?;
    Ok(profile.names().among(&person))
}

/// A handle may mean another account from now on.
#[tauri::command]
#[specta::specta]
pub(crate) async fn accept_handle(shell: TheShell<'_>, profile: ProfileId, handle: String) -> Outcome {
    let profile = shell.profile(&profile)?;
    profile.client()?.accept_handle(&handle).await;
    profile.handle_settled(&handle);
    shell.tell_profile(&profile);
    Ok(())
}
