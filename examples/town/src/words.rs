//! The words that several tables share: invented people and banks, in both languages.

/// The same word in Korean and English.
pub type Pair = (&'static str, &'static str);

/// Family names.
pub const FAMILY: &[Pair] = &[
    ("김", "Kim"),
    ("이", "Lee"),
    ("박", "Park"),
    ("최", "Choi"),
    ("정", "Jung"),
    ("강", "Kang"),
    ("조", "Cho"),
    ("윤", "Yoon"),
    ("장", "Jang"),
    ("임", "Lim"),
    ("한", "Han"),
    ("오", "Oh"),
    ("서", "Seo"),
    ("신", "Shin"),
    ("권", "Kwon"),
    ("황", "Hwang"),
    ("안", "Ahn"),
    ("송", "Song"),
];

/// Given names of the parents' generation.
pub const PARENTS: &[Pair] = &[
    ("영수", "Youngsoo"),
    ("정호", "Jungho"),
    ("상철", "Sangchul"),
    ("경희", "Kyunghee"),
    ("미숙", "Misook"),
    ("은정", "Eunjung"),
    ("성훈", "Sunghoon"),
    ("영자", "Youngja"),
    ("순옥", "Soonok"),
    ("병철", "Byungchul"),
];

/// Invented banks.
pub const BANKS: &[Pair] = &[
    ("한들은행", "Handeul Bank"),
    ("새미은행", "Saemi Bank"),
    ("다온저축은행", "Daon Savings"),
    ("물빛은행", "Mulbit Bank"),
    ("누리협동조합", "Nuri Cooperative"),
];

/// Given names of people of any age.
pub const GIVEN: &[Pair] = &[
    ("민서", "Minseo"),
    ("현주", "Hyunju"),
    ("태준", "Taejun"),
    ("수빈", "Subin"),
    ("경민", "Kyungmin"),
    ("은수", "Eunsu"),
    ("동현", "Donghyun"),
    ("지영", "Jiyoung"),
    ("상우", "Sangwoo"),
    ("나래", "Narae"),
    ("한결", "Hangyeol"),
    ("미라", "Mira"),
];

/// Towns.
const TOWNS: &[Pair] = &[
    ("새미시", "Saemi"),
    ("다온군", "Daon"),
    ("물빛시", "Mulbit"),
    ("솔향시", "Solhyang"),
    ("한들시", "Handeul"),
    ("너른군", "Neoreun"),
    ("별마루시", "Byeolmaru"),
    ("가람시", "Garam"),
    ("누리시", "Nuri"),
    ("푸른군", "Pureun"),
];

/// How the names of neighbourhoods begin.
const QUARTERS: &[Pair] = &[
    ("윗말", "Witmal"),
    ("아랫말", "Araetmal"),
    ("샘골", "Saemgol"),
    ("밤나무", "Bamnamu"),
    ("돌다리", "Doldari"),
    ("버드내", "Beodeunae"),
    ("큰솔", "Keunsol"),
    ("갈대", "Galdae"),
    ("안골", "Angol"),
    ("배꽃", "Baekkot"),
    ("모래내", "Moraenae"),
    ("노을", "Noeul"),
    ("첫눈", "Cheotnun"),
    ("달맞이", "Dalmaji"),
    ("은행", "Eunhaeng"),
];

/// Which part of a neighbourhood.
const PARTS: u64 = 6;

/// Neighbourhood number `at` of the country, counted around, with its town.
#[must_use]
pub fn neighbourhood(at: usize) -> (Pair, (String, String)) {
    let town = TOWNS.get(at % TOWNS.len()).copied().unwrap_or_default();
    let rest = at / TOWNS.len();
    let quarter = QUARTERS
        .get(rest % QUARTERS.len())
        .copied()
        .unwrap_or_default();
    let part = (rest / QUARTERS.len()) as u64 % PARTS + 1;
    let name = (
        format!("{}{part}동", quarter.0),
        format!("{} {part}-dong", quarter.1),
    );
    (town, name)
}

/// The name of neighbourhood number `at` in paths.
#[must_use]
pub fn slug(at: usize) -> String {
    let (town, quarter) = neighbourhood(at);
    let words = format!("{} {}", town.1, quarter.1);
    words.to_lowercase().replace(' ', "-")
}
