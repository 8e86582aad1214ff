//! What to do without each service.

use super::{Record, table};
use crate::words::Pair;

table!(
    /// What to do without a service.
    Guide in "guides" {
        service, order_no, title_ko, title_en, meanwhile_ko, meanwhile_en, how_ko, how_en, phone,
    }
);

impl Record for Guide {
    const SERVICE: &'static str = "home";
    const TITLE: Pair = ("안내", "What to do");
    const FACTS: &'static [(&'static str, Pair)] = &[
        ("title", ("서비스", "Service")),
        ("meanwhile", ("그동안", "Meanwhile")),
        ("how", ("이렇게", "How")),
        ("phone", ("전화", "Telephone")),
    ];
    const ACTION: Pair = ("상담원과 채팅", "Chat with us");

    fn path(&self) -> String {
        format!("/guide/{}/", self.service)
    }
}

impl Guide {
    /// One for each service.
    pub(crate) fn all() -> Vec<Self> {
        GUIDES
            .iter()
            .enumerate()
            .map(|(at, (service, title, meanwhile, how, phone))| Self {
                service: (*service).into(),
                order_no: (at + 1).to_string(),
                title_ko: title.0.into(),
                title_en: title.1.into(),
                meanwhile_ko: meanwhile.0.into(),
                meanwhile_en: meanwhile.1.into(),
                how_ko: how.0.into(),
                how_en: how.1.into(),
                phone: (*phone).into(),
            })
            .collect()
    }
}

/// Services of the town with what to do without them: name, title, meanwhile, how, phone.
const GUIDES: &[(&str, Pair, Pair, Pair, &str)] = &[
    (
        "pay",
        ("다솜페이", "Dasom Pay"),
        (
            "은행 앱이나 현금, 카드를 쓰세요.",
            "Use your bank's own app, cash or a card.",
        ),
        (
            "축의금은 청첩장의 계좌번호로 바로 보낼 수 있습니다. 가게에서는 실물 카드나 현금을 쓰세요. 결제가 두 번 되었는지는 복구 뒤 알려 드립니다.",
            "Gifts can go straight to the account numbers on the invitation. In shops use a card or cash. Double charges are settled once we are back.",
        ),
        "1599-0101",
    ),
    (
        "talk",
        ("다솜톡", "Dasom Talk"),
        (
            "문자 메시지나 전화를 쓰세요.",
            "Use text messages or the telephone.",
        ),
        (
            "마지막으로 보낸 메시지는 전달되지 않았을 수 있습니다. 급한 말은 문자로 다시 보내 주세요.",
            "Your last message may not have been sent. Please send what is urgent again as a text message.",
        ),
        "1599-0102",
    ),
    (
        "club",
        ("다솜모임", "Dasom Clubs"),
        (
            "모임 링크를 열면 일정과 총무 전화번호가 보입니다.",
            "Open your club's link for its schedule and the organiser's number.",
        ),
        (
            "로그인 없이도 받은 링크로 모임 일정, 만나는 곳, 총무 연락처를 볼 수 있습니다. 참석 댓글은 복구 뒤에 쓸 수 있습니다.",
            "Without signing in, the link you were sent shows schedule, meeting point and organiser. Replies can be written once we are back.",
        ),
        "1599-0103",
    ),
    (
        "login",
        ("다솜로그인", "Dasom Sign-in"),
        (
            "로그인이 필요 없는 읽기 전용 화면을 쓰세요.",
            "Use the read-only pages, which need no sign-in.",
        ),
        (
            "다솜로그인으로 들어가는 다른 서비스는 전화번호나 이메일 로그인을 이용해 주세요. 비밀번호를 바꿀 필요는 없습니다.",
            "For other services that use Dasom Sign-in, sign in by phone number or e-mail. There is no need to change your password.",
        ),
        "1599-0104",
    ),
    (
        "invite",
        ("다솜카드", "Dasom Cards"),
        (
            "받은 청첩장 링크는 그대로 열립니다.",
            "Invitation links you were sent still open.",
        ),
        (
            "날짜, 장소, 오시는 길, 사진과 계좌번호를 그대로 볼 수 있습니다. 방명록은 복구 뒤에 쓸 수 있습니다.",
            "Date, venue, directions, photos and account numbers are all there. The guest book can be signed once we are back.",
        ),
        "1599-0105",
    ),
    (
        "taxi",
        ("다솜택시", "Dasom Taxi"),
        ("지역 콜택시에 전화하세요.", "Telephone a local call taxi."),
        (
            "새미시 콜택시 1577-8200, 다온군 콜택시 1577-8300. 호출 중이던 택시는 취소된 것으로 보시면 됩니다.",
            "Saemi call taxi 1577-8200, Daon call taxi 1577-8300. Consider any ride you had called cancelled.",
        ),
        "1577-8200",
    ),
    (
        "map",
        ("다솜지도", "Dasom Maps"),
        (
            "다른 지도 앱이나 도로 표지판을 이용하세요.",
            "Use another map app, or the road signs.",
        ),
        (
            "버스 도착 시간은 정류장 안내판과 120번 전화로 알 수 있습니다.",
            "Bus arrivals are on the boards at the stops, or dial 120.",
        ),
        "120",
    ),
    (
        "mail",
        ("다솜메일", "Dasom Mail"),
        (
            "받는 메일은 보관되었다가 복구 뒤 도착합니다.",
            "Mail to you is kept and arrives once we are back.",
        ),
        (
            "급한 첨부 파일은 보낸 분께 다른 주소로 다시 요청해 주세요. 다른 메일 서버는 닷새 동안 다시 보내기를 시도합니다.",
            "Ask senders of urgent attachments to use another address. Other mail servers keep trying for five days.",
        ),
        "1599-0108",
    ),
];
