//! What is done at each tag of a page: note the place of the banner, of the script and of the
//! ends of what is removed.
//!
//! States: looking for the banner's place, or done with that; and at any time either keeping or
//! removing one outermost marked element. While removing, only tags that could end that element
//! are looked at. It ends at its end tag, at a start tag that implies it (counted past elements
//! that shield it), or at the end of an element around it.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use lol_html::HandlerResult;
use lol_html::html_content::EndTag;
use lol_html::send::{Element, EndTagHandler};

use super::lock;
use super::marks::{COPY, Down, NEEDS, WITHOUT};
use super::splice::Splice;
use super::tree::Implied;
use crate::page::state::PageState;

/// The one namespace in which tag names mean what HTML says.
const HTML: &str = "http://www.w3.org/1999/xhtml";

pub(super) struct Visitor {
    down: Down,
    splice: Splice,
    /// How far the tokenizer is, bytes.
    passed: u64,
    /// Given up: all bytes pass.
    raw: bool,
    /// Taken when placed.
    banner: Option<String>,
    /// Taken when placed.
    script: Option<String>,
    /// Open `<template>`s before the banner's place is found: their inside is not shown.
    templates: u32,
    removing: Option<Removal>,
    /// Removals so far, so that a late end tag of one does not end another.
    removals: u64,
}

struct Removal {
    id: u64,
    name: String,
    implied: Implied,
    shields: u32,
}

impl Visitor {
    pub(super) fn new(state: &PageState, banner: String, script: String) -> Self {
        Self {
            down: Down::of(state),
            splice: Splice::default(),
            passed: 0,
            raw: false,
            banner: Some(banner).filter(|banner| !banner.is_empty()),
            script: Some(script).filter(|script| !script.is_empty()),
            templates: 0,
            removing: None,
            removals: 0,
        }
    }

    pub(super) fn take_in(&mut self, piece: &[u8]) {
        self.splice.take_in(piece);
    }

    pub(super) fn passed(&mut self, bytes: usize) {
        self.passed += bytes as u64;
    }

    pub(super) fn give_up(&mut self) {
        self.raw = true;
        self.removing = None;
    }

    /// True when the banner, if there is one, has its place.
    pub(super) const fn has_placed(&self) -> bool {
        self.banner.is_none()
    }

    pub(super) fn let_out(&mut self) -> Vec<u8> {
        if self.raw {
            self.splice.give_up(self.passed)
        } else {
            self.splice.let_out(self.passed)
        }
    }

    pub(super) fn finish(&mut self) -> Vec<u8> {
        let mut out = self.let_out();
        // All that the tokenizer saw is settled now.
        if !self.raw {
            out.extend(self.splice.let_out(u64::MAX));
        }
        out.extend(self.banner.take().unwrap_or_default().into_bytes());
        out
    }

    /// The handler of every start tag.
    pub(super) fn start_tag(
        this: &Arc<Mutex<Self>>,
        element: &mut Element<'_, '_>,
    ) -> HandlerResult {
        // Most tags of most pages: nothing is looked for that they could be.
        if element.attributes().is_empty() && lock(this).wants_marks_only() {
            return Ok(());
        }
        let name = element.tag_name();
        let at = place(element.source_location().bytes());
        let html = element.namespace_uri() == HTML;
        let end_tag = lock(this).enter(&name, at, html, element, this);
        match end_tag {
            Some(handler) => element.on_end_tag(handler),
            None => Ok(()),
        }
    }

    const fn wants_marks_only(&self) -> bool {
        self.banner.is_none() && self.removing.is_none()
    }

    fn enter(
        &mut self,
        name: &str,
        at: Range<u64>,
        html: bool,
        element: &Element<'_, '_>,
        this: &Arc<Mutex<Self>>,
    ) -> Option<EndTagHandler<'static>> {
        if let Some(removal) = &mut self.removing {
            if html && removal.shields == 0 && removal.implied.ended_by(name) {
                self.splice.cut_to(at.start);
                self.removing = None;
            } else {
                let shields = removal.implied.shields(name) && element.can_have_content();
                return shields.then(|| {
                    removal.shields += 1;
                    unshield(this, removal.id)
                });
            }
        }
        let placing = self.place_banner(name, &at, html, element, this);
        if html && matches!(name, "html" | "head" | "body") {
            return placing;
        }
        let (needs, without) = (element.get_attribute(NEEDS), element.get_attribute(WITHOUT));
        if self.down.removes(needs.as_deref(), without.as_deref()) {
            self.splice.cut_from(at.start);
            if !element.can_have_content() {
                self.splice.cut_to(at.end);
                return placing;
            }
            self.removals += 1;
            let removal = Removal {
                id: self.removals,
                name: name.to_owned(),
                implied: if html {
                    Implied::of(name)
                } else {
                    Implied::Never
                },
                shields: 0,
            };
            let id = removal.id;
            self.removing = Some(removal);
            return Some(end_removal(this, id));
        }
        if element.has_attribute(COPY)
            && let Some(script) = self.script.take()
        {
            self.splice.insert(at.start, script);
        }
        placing
    }

    /// Puts the banner behind `<body>` or before the first element that is neither in the head
    /// nor in a template.
    fn place_banner(
        &mut self,
        name: &str,
        at: &Range<u64>,
        html: bool,
        element: &Element<'_, '_>,
        this: &Arc<Mutex<Self>>,
    ) -> Option<EndTagHandler<'static>> {
        self.banner.as_ref()?;
        match name {
            "template" if html && element.can_have_content() => {
                self.templates += 1;
                let this = Arc::clone(this);
                return Some(Box::new(move |_: &mut EndTag<'_>| {
                    let mut visitor = lock(&this);
                    visitor.templates = visitor.templates.saturating_sub(1);
                    Ok(())
                }));
            }
            // Frames have no place for words.
            "frameset" => self.banner = None,
            "html" | "head" | "title" | "meta" | "link" | "base" | "style" | "script"
            | "noscript" | "basefont" | "bgsound" => {}
            _ if self.templates > 0 => {}
            _ => {
                let place = if name == "body" { at.end } else { at.start };
                self.splice
                    .insert(place, self.banner.take().unwrap_or_default());
            }
        }
        None
    }

    fn leave(&mut self, id: u64, name: &str, at: &Range<u64>) {
        let Some(removal) = self.removing.take_if(|removal| removal.id == id) else {
            return;
        };
        // Another name: an element around it ended, and that end tag stays.
        let own = removal.name == name;
        self.splice.cut_to(if own { at.end } else { at.start });
    }
}

fn end_removal(this: &Arc<Mutex<Visitor>>, id: u64) -> EndTagHandler<'static> {
    let this = Arc::clone(this);
    Box::new(move |end: &mut EndTag<'_>| {
        let at = place(end.source_location().bytes());
        lock(&this).leave(id, &end.name(), &at);
        Ok(())
    })
}

fn unshield(this: &Arc<Mutex<Visitor>>, id: u64) -> EndTagHandler<'static> {
    let this = Arc::clone(this);
    Box::new(move |_: &mut EndTag<'_>| {
        if let Some(removal) = lock(&this).removing.as_mut().filter(|r| r.id == id) {
            removal.shields = removal.shields.saturating_sub(1);
        }
        Ok(())
    })
}

const fn place(bytes: Range<usize>) -> Range<u64> {
    bytes.start as u64..bytes.end as u64
}
