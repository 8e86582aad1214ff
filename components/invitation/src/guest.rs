//! The component's entry.

use kit::{Answer, guest};
use spin_sdk::http::{Request, Response, Result};
use spin_sdk::http_service;

#[http_service]
async fn serve(request: Request) -> Result<Response<String>> {
    let context = match guest::context(&request) {
        Ok(context) => context,
        Err(answer) => return guest::respond(answer),
    };
    let Some(id) = context.key() else {
        return guest::respond(Answer::not_found());
    };
    guest::respond(match guest::record(&context, 0, id).await? {
        Ok(record) => crate::answer(&context, &record),
        Err(answer) => answer,
    })
}
