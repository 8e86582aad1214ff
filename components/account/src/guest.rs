//! The component's entry.

use kit::guest;
use spin_sdk::http::{Request, Response, Result};
use spin_sdk::http_service;

#[http_service]
async fn serve(request: Request) -> Result<Response<String>> {
    guest::of_one_record(&request, crate::answer).await
}
