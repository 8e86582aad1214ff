//! Pages in, pages out, judged as a browser would read them.
