//! Pictures for the invitations: two figures before a landscape, painted from a seed.

use jpeg_encoder::{ColorType, Encoder, EncodingError};

use crate::rng::Rng;

/// Width and height, pixels.
pub const SIZE: (u16, u16) = (900, 600);

/// Paints the photograph called `name` as a JPEG.
///
/// # Errors
/// Only the encoder's own, for a size it cannot write.
pub fn paint(seed: u64, name: &str) -> Result<Vec<u8>, EncodingError> {
    let mut rng = Rng::new(seed, name);
    let hue = [
        rng.below(40) as f32,
        rng.below(30) as f32,
        rng.below(50) as f32,
    ];
    let ridges: Vec<(f32, f32, f32)> = (0..3)
        .map(|_| {
            (
                rng.below(628) as f32 / 100.0,
                1.0 + rng.below(30) as f32 / 10.0,
                20.0 + rng.below(40) as f32,
            )
        })
        .collect();
    let sun = (150.0 + rng.below(600) as f32, 90.0 + rng.below(90) as f32);
    let couple = 320.0 + rng.below(260) as f32;
    let (width, height) = SIZE;
    let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
    for y in 0..height {
        for x in 0..width {
            let grain = rng.below(7) as f32;
            let colour = scene(f32::from(x), f32::from(y), hue, &ridges, sun, couple);
            // Clamped to a byte's range right here.
            pixels.extend(colour.map(|c| (c + grain).clamp(0.0, 255.0) as u8));
        }
    }
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 82).encode(&pixels, width, height, ColorType::Rgb)?;
    Ok(jpeg)
}

fn scene(
    x: f32,
    y: f32,
    hue: [f32; 3],
    ridges: &[(f32, f32, f32)],
    sun: (f32, f32),
    couple: f32,
) -> [f32; 3] {
    let down = y / f32::from(SIZE.1);
    let mut colour = [
        248.0 - 30.0 * down - hue[0],
        214.0 - 20.0 * down + hue[1] / 2.0,
        196.0 + 30.0 * down - hue[2] / 3.0,
    ];
    let glow = (-((x - sun.0).powi(2) + (y - sun.1).powi(2)) / 9000.0).exp();
    colour = mix(colour, [255.0, 246.0, 220.0], glow);
    for (at, (phase, waves, swing)) in ridges.iter().enumerate() {
        let depth = at as f32;
        let ridge = 300.0
            + depth * 85.0
            + swing * (x / 900.0 * waves * std::f32::consts::TAU + phase).sin();
        if y > ridge {
            colour = [
                150.0 - depth * 38.0 + hue[0] / 2.0,
                160.0 - depth * 30.0 + hue[1] / 2.0,
                158.0 - depth * 40.0,
            ];
        }
    }
    for (offset, tall, cloth) in [
        (0.0, 150.0, [52.0, 56.0, 72.0]),
        (62.0, 138.0, [250.0, 246.0, 240.0]),
    ] {
        colour = figure(x - couple - offset, 560.0 - y, tall, cloth, colour);
    }
    colour
}

/// A person seen from behind: head, shoulders, and cloth that widens to the ground.
fn figure(across: f32, up: f32, tall: f32, cloth: [f32; 3], behind: [f32; 3]) -> [f32; 3] {
    let head = (across.powi(2) + (up - tall - 14.0).powi(2)).sqrt();
    if head < 17.0 {
        return [66.0, 50.0, 44.0];
    }
    let half = if cloth[0] > 200.0 {
        16.0 + (tall - up).max(0.0) * 0.22
    } else {
        20.0
    };
    if (0.0..tall).contains(&up) && across.abs() < half {
        cloth
    } else {
        behind
    }
}

fn mix(a: [f32; 3], b: [f32; 3], share: f32) -> [f32; 3] {
    let [r, g, bl] = a;
    let [r2, g2, b2] = b;
    [
        r + (r2 - r) * share,
        g + (g2 - g) * share,
        bl + (b2 - bl) * share,
    ]
}
