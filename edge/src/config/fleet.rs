//! `[fleet]`: the other edges, for the page that shows them all.

use url::Url;

use super::ops::parse_edge;
use crate::fleet::EDGES;
use crate::settings::Section;

/// The edges that this one asks for its `/fleet` page, and for nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetSettings {
    /// `edges`: control listeners of other edges. Default none: the page shows this edge alone.
    pub edges: Vec<Url>,
}

impl FleetSettings {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let mut edges = Vec::new();
        if let Some(list) = section.texts("edges") {
            section.problems().count("edges", &list, 0..=EDGES);
            let texts = list.value.iter().take(EDGES);
            edges.extend(texts.filter_map(|text| section.accepted(text, parse_edge(&text.value))));
        }
        section.finish();
        Self { edges }
    }
}
