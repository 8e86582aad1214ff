//! Where an element ends whose end tag was left out.
//!
//! The tokenizer below has no tree, and takes an element without an end tag to last until its
//! parent ends. For `<li data-needs>` that would remove the rest of the list. HTML says which
//! start tags end such an element (section 13.1.2.4, optional tags; section 13.2.6.4.7, the
//! scopes); this is that rule for an element that is being removed.

/// What ends an element implicitly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Implied {
    /// Nothing but its end tag or its parent's.
    Never,
    ListItem,
    Definition,
    Paragraph,
    Cell,
    Row,
    RowGroup,
    Caption,
    OptionItem,
    OptionGroup,
    Ruby,
}

impl Implied {
    /// The rule for an element called `name`.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "li" => Self::ListItem,
            "dt" | "dd" => Self::Definition,
            "p" => Self::Paragraph,
            "td" | "th" => Self::Cell,
            "tr" => Self::Row,
            "thead" | "tbody" | "tfoot" => Self::RowGroup,
            "caption" | "colgroup" => Self::Caption,
            "option" => Self::OptionItem,
            "optgroup" => Self::OptionGroup,
            "rt" | "rp" => Self::Ruby,
            _ => Self::Never,
        }
    }

    /// True when the start tag `name`, not inside a [barrier](Self::shields), ends the element.
    pub(super) fn ended_by(self, name: &str) -> bool {
        let groups = matches!(name, "thead" | "tbody" | "tfoot");
        match self {
            Self::Never => false,
            Self::ListItem => name == "li",
            Self::Definition => matches!(name, "dt" | "dd"),
            Self::Paragraph => ENDS_PARAGRAPH.contains(&name),
            Self::Cell => groups || matches!(name, "td" | "th" | "tr"),
            Self::Row => groups || name == "tr",
            Self::RowGroup => groups,
            Self::Caption => groups || matches!(name, "caption" | "colgroup" | "tr"),
            Self::OptionItem => matches!(name, "option" | "optgroup" | "hr"),
            Self::OptionGroup => matches!(name, "optgroup" | "hr"),
            Self::Ruby => matches!(name, "rt" | "rp"),
        }
    }

    /// True when start tags inside an element called `name` cannot end the one being removed.
    pub(super) fn shields(self, name: &str) -> bool {
        match self {
            Self::Never => false,
            Self::ListItem | Self::Definition => is_block(name) || is_island(name),
            Self::Paragraph => is_island(name),
            Self::Cell | Self::Row | Self::RowGroup | Self::Caption => {
                matches!(name, "table" | "template")
            }
            Self::OptionItem | Self::OptionGroup => matches!(name, "select" | "template"),
            Self::Ruby => matches!(name, "ruby" | "template"),
        }
    }
}

/// Start tags before which an open paragraph ends.
const ENDS_PARAGRAPH: [&str; 37] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dd",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "search",
    "section",
    "table",
    "ul",
];

/// Elements whose inside is a scope of its own, whatever is open around them.
fn is_island(name: &str) -> bool {
    matches!(
        name,
        "table" | "template" | "button" | "object" | "marquee" | "applet" | "svg" | "math"
    )
}

/// Elements past which no item of a list is looked for: the special ones but `address`, `div` and
/// `p`.
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "ul" | "ol"
            | "menu"
            | "dir"
            | "dl"
            | "section"
            | "article"
            | "aside"
            | "blockquote"
            | "figure"
            | "fieldset"
            | "form"
            | "details"
            | "main"
            | "nav"
            | "header"
            | "footer"
    )
}
