//! The component's entry: reads what the page needs, then renders it.

use kit::{Answer, Context, Privacy, Row, guest};
use spin_sdk::http::{Request, Response, Result};
use spin_sdk::http_service;

use crate::page::{Step, render};
use crate::status::status;
use crate::templates::Templates;
use crate::values::Records;

#[http_service]
async fn serve(request: Request) -> Result<Response<String>> {
    let context = match guest::context(&request) {
        Ok(context) => context,
        Err(answer) => return guest::respond(answer),
    };
    let answer = match records(&context).await? {
        Ok(records) => page(&context, &records).await?,
        Err(answer) => answer,
    };
    guest::respond(answer)
}

/// What the route's first collection has for this page. Only public collections are listed: the
/// others' keys tell nothing, and their records open one by one.
async fn records(context: &Context) -> Result<Result<Records, Answer>> {
    if context.collections.len() < 2 {
        return Ok(Ok(Records::List(Vec::new())));
    }
    if let Some(key) = context.key() {
        let record = guest::record(context, 0, key).await?;
        return Ok(record.and_then(|bytes| row(&bytes)).map(Records::One));
    }
    if !matches!(context.collection(0), Ok((_, Privacy::Public))) {
        return Ok(Ok(Records::List(Vec::new())));
    }
    Ok(match guest::list(context, 0).await? {
        Ok(records) => records
            .iter()
            .map(|bytes| row(bytes))
            .collect::<Result<_, _>>()
            .map(Records::List),
        Err(error) => Err(Answer::failed(error)),
    })
}

async fn page(context: &Context, records: &Records) -> Result<Answer> {
    let Some(template) = context.template.as_deref() else {
        return Ok(Answer::failed("the route names no template"));
    };
    if let Some(answer) = status(template, context) {
        return Ok(answer);
    }
    let at = context.collections.len().checked_sub(1);
    let templates = Templates::new();
    loop {
        let wanted = match render(context, template, records, &templates) {
            Step::Done(answer) => return Ok(answer),
            Step::Needs(wanted) => wanted,
        };
        for name in wanted {
            let Some(at) = at else {
                templates.insert(&name, None);
                continue;
            };
            match guest::record(context, at, &name).await? {
                Ok(bytes) => match String::from_utf8(bytes) {
                    Ok(source) => templates.insert(&name, Some(source)),
                    Err(_) => {
                        return Ok(Answer::failed(format_args!("template {name}: not UTF-8")));
                    }
                },
                Err(answer) if answer.status == 404 => templates.insert(&name, None),
                Err(answer) => return Ok(answer),
            }
        }
    }
}

fn row(bytes: &[u8]) -> Result<Row, Answer> {
    Row::parse(bytes).map_err(Answer::failed)
}
