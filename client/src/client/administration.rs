//! What an admin of the relay does.

use super::Client;
use crate::core::{Reply, RequestError};
use kith_protocol::admin::{AdminRequest, AdminResponse};

impl Client {
    /// Asks the relay for what its admins may ask. What it answers fits the request; that it will not is an error.
    pub async fn administer(&self, request: AdminRequest) -> Result<AdminResponse, RequestError> {
        match self.request(move |engine, _| engine.administer(&request)).await? {
            Reply::Administered(response) => Ok(*response),
            _ => Err(RequestError::Lost),
        }
    }
}
