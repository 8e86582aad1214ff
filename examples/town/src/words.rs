//! The words the town is made of: invented people, places, clubs and banks, in both languages.

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

/// Given names of grooms.
pub const GROOMS: &[Pair] = &[
    ("민준", "Minjun"),
    ("도윤", "Doyun"),
    ("지호", "Jiho"),
    ("현우", "Hyunwoo"),
    ("준서", "Junseo"),
    ("건우", "Gunwoo"),
    ("태양", "Taeyang"),
    ("승현", "Seunghyun"),
    ("재민", "Jaemin"),
    ("은호", "Eunho"),
    ("시우", "Siwoo"),
    ("동하", "Dongha"),
];

/// Given names of brides.
pub const BRIDES: &[Pair] = &[
    ("서연", "Seoyeon"),
    ("하은", "Haeun"),
    ("지우", "Jiwoo"),
    ("수아", "Sua"),
    ("예린", "Yerin"),
    ("채원", "Chaewon"),
    ("나은", "Naeun"),
    ("유진", "Yujin"),
    ("다인", "Dain"),
    ("소율", "Soyul"),
    ("가람", "Garam"),
    ("보라", "Bora"),
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

/// Wedding venues: name, hall, address, directions.
pub const VENUES: &[(Pair, Pair, Pair, Pair)] = &[
    (
        ("한들웨딩홀", "Handeul Wedding Hall"),
        ("3층 그랜드볼룸", "Grand Ballroom, 3rd floor"),
        ("새미시 한들로 21", "21 Handeul-ro, Saemi"),
        (
            "지하철 2호선 한들역 4번 출구로 나와 왼쪽으로 200미터 걸으면 흰색 건물이 보입니다. 주차는 지하 2층, 두 시간 무료입니다.",
            "Take line 2 to Handeul, leave by exit 4 and walk 200 metres to the left to the white building. Parking on basement 2, two hours free.",
        ),
    ),
    (
        ("물빛정원", "Mulbit Garden"),
        ("1층 유리온실", "The Glasshouse, ground floor"),
        ("새미시 강변길 108", "108 Gangbyeon-gil, Saemi"),
        (
            "새미역 앞 정류장에서 7번 버스를 타고 강변공원에서 내려 다리 반대쪽으로 5분 걸어오세요. 셔틀버스는 새미역 1번 출구에서 20분마다 있습니다.",
            "From the stop at Saemi station take bus 7 to Riverside Park and walk 5 minutes away from the bridge. A shuttle leaves exit 1 of the station every 20 minutes.",
        ),
    ),
    (
        ("솔향교회", "Solhyang Church"),
        ("본당", "Main hall"),
        ("새미시 솔향3길 5", "5 Solhyang 3-gil, Saemi"),
        (
            "지하철 5호선 솔숲역 1번 출구에서 언덕길을 따라 300미터 올라오면 붉은 벽돌 건물입니다. 주차장이 좁으니 대중교통을 이용해 주세요.",
            "From exit 1 of Solsup station on line 5 follow the hill road up for 300 metres to the red brick building. Parking is scarce, please come by train.",
        ),
    ),
    (
        ("너른마당", "Neoreun Madang"),
        ("야외 잔디마당", "The lawn"),
        ("다온군 너른길 77", "77 Neoreun-gil, Daon"),
        (
            "다온터미널에서 택시로 10분, 기사님께 '너른마당 한옥'이라고 말씀해 주세요. 자가용은 다온 나들목에서 나와 첫 신호등에서 우회전입니다.",
            "Ten minutes by taxi from Daon terminal; ask for 'Neoreun Madang hanok'. By car leave at the Daon interchange and turn right at the first light.",
        ),
    ),
    (
        ("별마루호텔", "Byeolmaru Hotel"),
        ("2층 오로라홀", "Aurora Hall, 2nd floor"),
        ("새미시 별마루대로 300", "300 Byeolmaru-daero, Saemi"),
        (
            "공항철도 별마루역 3번 출구와 지하로 이어져 있습니다. 주차는 호텔 지하 3층부터 5층까지, 세 시간 무료입니다.",
            "Connected underground to exit 3 of Byeolmaru station on the airport line. Parking on basements 3 to 5, three hours free.",
        ),
    ),
];

/// What couples write.
pub const MESSAGES: &[Pair] = &[
    (
        "서로의 계절이 되어 주기로 했습니다. 귀한 걸음으로 축복해 주시면 더없는 기쁨으로 간직하겠습니다.",
        "We have chosen to be each other's seasons. Your presence would be a joy we keep for good.",
    ),
    (
        "같은 곳을 보며 천천히 걷겠습니다. 그 첫걸음에 함께해 주세요.",
        "We will walk slowly, looking the same way. Please be there for the first step.",
    ),
    (
        "오래 알던 두 사람이 한 가족이 됩니다. 따뜻한 마음으로 지켜봐 주세요.",
        "Two old friends become one family. Please come and watch over us kindly.",
    ),
];

/// Invented banks.
pub const BANKS: &[Pair] = &[
    ("한들은행", "Handeul Bank"),
    ("새미은행", "Saemi Bank"),
    ("다온저축은행", "Daon Savings"),
    ("물빛은행", "Mulbit Bank"),
    ("누리협동조합", "Nuri Cooperative"),
];

/// Hiking clubs.
pub const CLUBS: &[Pair] = &[
    ("새벽산악회", "Dawn Hikers"),
    ("두발로산악회", "On Two Feet"),
    ("느린걸음모임", "Slow Walkers"),
    ("주말능선회", "Weekend Ridge Club"),
    ("초록배낭", "Green Rucksacks"),
    ("한걸음더", "One Step More"),
];

/// Mountains and courses.
pub const COURSES: &[(Pair, Pair)] = &[
    (
        ("솔마루산", "Mt Solmaru"),
        (
            "솔마루산 입구 → 약수터 → 정상 → 계곡길 (7 km, 4시간)",
            "Gate, spring, summit, back by the valley (7 km, 4 h)",
        ),
    ),
    (
        ("큰고개", "Keungogae"),
        (
            "큰고개 주차장 → 능선 → 전망대 → 절터 (9 km, 5시간)",
            "Car park, ridge, lookout, temple site (9 km, 5 h)",
        ),
    ),
    (
        ("달빛봉", "Dalbit Peak"),
        (
            "북문 → 바위길 → 달빛봉 → 남문 (6 km, 3시간 반)",
            "North gate, rock path, peak, south gate (6 km, 3.5 h)",
        ),
    ),
    (
        ("호수둘레길", "Lake Circuit"),
        (
            "선착장에서 출발해 한 바퀴 (11 km, 4시간, 평지)",
            "Once around from the pier (11 km, 4 h, flat)",
        ),
    ),
];

/// Meeting points.
pub const POINTS: &[Pair] = &[
    (
        "솔숲역 2번 출구 앞 벤치",
        "The benches at exit 2 of Solsup station",
    ),
    (
        "새미역 광장 시계탑 아래",
        "Under the clock on Saemi station square",
    ),
    (
        "큰고개 제1주차장 매표소 옆",
        "Beside the ticket office of Keungogae car park 1",
    ),
    (
        "한들역 1번 출구 편의점 앞",
        "In front of the shop at exit 1 of Handeul station",
    ),
    (
        "호수공원 선착장 안내판 앞",
        "By the notice board of the lake park pier",
    ),
];

/// What to bring.
pub const BRING: &[Pair] = &[
    (
        "물 1리터, 장갑, 따뜻한 겉옷",
        "A litre of water, gloves, a warm layer",
    ),
    ("점심 도시락, 아이젠", "Lunch, crampons"),
    (
        "무릎 보호대, 간식, 헤드랜턴",
        "Knee supports, snacks, a head torch",
    ),
];

/// Services of the town with what to do without them: name, title, meanwhile, how, phone.
pub const GUIDES: &[(&str, Pair, Pair, Pair, &str)] = &[
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
