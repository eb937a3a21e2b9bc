"""Old encodings are found out by the words of a text, and a doubt is said."""

# ruff: noqa: E501  (whole sentences)
import pytest

from fulmen.io.legacy import legacy_encoding
from fulmen.io.tables import read_table

# language: its encodings, names of sensors, names of prices, and the first article of the declaration of human rights
TEXTS: dict[str, tuple[list[str], str, str, str]] = {
    "pl": (["cp1250", "iso-8859-2"], "maszyna,czas,światło_lx,wibracje,usterka", "Data;Otwarcie;Najwyższy;Najniższy;Zamknięcie;Wolumen",
        "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni "
        "obdarzeni rozumem i sumieniem i powinni postępować wobec innych w duchu braterstwa."),
    "cs": (["cp1250", "iso-8859-2"], "stroj,čas,světlo,vibrace,závada", "Datum;Otevírací;Nejvyšší;Nejnižší;Závěr;Objem",
        "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv. Jsou nadáni rozumem "
        "a svědomím a mají spolu jednat v duchu bratrství. Příliš žluťoučký kůň."),
    "hu": (["cp1250", "iso-8859-2"], "gép,idő,fényerő,hőmérséklet", "Dátum;Nyitó;Legmagasabb;Záró;Mennyiség;Utolsó idő;Szükséges felülvizsgálat;mérőműszer",
        "Minden emberi lény szabadon születik és egyenlő méltósága és joga van. Az emberek, ésszel "
        "és lelkiismerettel bírván, egymással szemben testvéri szellemben kell hogy viseltessenek. "
        "űrhajó"),
    "tr": (["cp1254"], "makine,zaman,ışık,sıcaklık,titreşim,arıza", "Tarih,Açılış,Yüksek,Düşük,Kapanış,Hacim",
        "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana "
        "sahiptirler ve birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler."),
    "lt": (["cp1257"], "įrenginys,laikas,šviesa,temperatūra,būsena,priežiūra", "Data;Atidarymo;Aukščiausia;Žemiausia;Uždarymo;Apyvarta;Vertė;kainų;pokytis į",
        "Visi žmonės gimsta laisvi ir lygūs savo orumu ir teisėmis. Jiems suteiktas protas ir "
        "sąžinė ir jie turi elgtis vienas kito atžvilgiu kaip broliai."),
    "ru": (["cp1251", "koi8-r", "cp866", "iso-8859-5"], "машина,время,свет,температура,вибрация", "Дата;Откр.;Макс.;Мин.;Закр.;Объём",
        "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены "
        "разумом и совестью и должны поступать в отношении друг друга в духе братства."),
    "uk": (["cp1251", "koi8-u"], "пристрій,час,світло,температура,вібрація", "Дата;Відкриття;Максимум;Мінімум;Закриття;Обсяг",
        "Всі люди народжуються вільними і рівними у своїй гідності та правах. Вони наділені "
        "розумом і совістю і повинні діяти у відношенні один до одного в дусі братерства."),
    "el": (["cp1253"], "μηχανή,χρόνος,φως,θερμοκρασία", "Ημερομηνία;Άνοιγμα;Υψηλό;Χαμηλό;Κλείσιμο;Όγκος",
        "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι "
        "προικισμένοι με λογική και συνείδηση."),
    "he": (["cp1255"], "מכונה,זמן,אור,טמפרטורה", "תאריך;פתיחה;גבוה;נמוך;סגירה;מחזור",
        "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון"),
    "ar": (["cp1256"], "الجهاز,الوقت,الضوء,الحرارة", "التاريخ;الافتتاح;الأعلى;الأدنى;الإغلاق;الحجم",
        "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق وقد وهبوا عقلا وضميرا"),
    "zh": (["gb18030", "gbk"], "设备,时间,光照,温度,振动,维护", "日期,开盘,最高,最低,收盘,成交量",
        "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。"),
    "zh-tw": (["big5"], "設備,時間,光照,溫度,振動,維護", "日期,開盤,最高,最低,收盤,成交量",
        "人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心，並應以兄弟關係的精神相對待。"),
    "ja": (["cp932", "euc_jp"], "機械,時刻,照度,温度,振動", "日付,始値,高値,安値,終値,出来高",
        "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。"),
    "ko": (["cp949"], "설비,시간,조도,온도,진동,점검", "날짜,시가,고가,저가,종가,거래량",
        "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다."),
    "de": (["cp1252"], "Gerät,Zeit,Helligkeit,Störung,Größe", "Datum;Eröffnung;Schlusskurs",
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft "
        "und Gewissen begabt und sollen einander im Geiste der Brüderlichkeit begegnen."),
    "fr": (["cp1252"], "machine,température,arrêt,lumière", "Date;Ouverture;Clôture;Élevé",
        "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués "
        "de raison et de conscience et doivent agir les uns envers les autres dans un esprit de "
        "fraternité. Où ça? À l'œuvre"),
    "es": (["cp1252"], "máquina,año,iluminación,vibración", "Fecha;Último;Máximo;Mínimo;Año",
        "¿Año nuevo? Todos los seres humanos nacen libres e iguales en dignidad y derechos y, "
        "dotados como están de razón y conciencia, señor"),
    "pt": (["cp1252"], "máquina,iluminação,vibração,manutenção", "Data;Último;Máxima;Mínima;Variação",
        "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de "
        "razão e de consciência, devem agir uns para com os outros em espírito de fraternidade. "
        "Não, às avós"),
    "da": (["cp1252"], "maskine,tid,måling,højde", "Dato;Åbning;Højeste",
        "Alle mennesker er født frie og lige i værdighed og rettigheder. De er udstyret med "
        "fornuft og samvittighed, og de bør handle mod hverandre i en broderskabets ånd."),
    "is": (["cp1252"], "vél,tími,ljós,hiti,viðhald", "Dagsetning;Opnunarverð;Hæsta;Lægsta",
        "Hver maður er borinn frjáls og jafn öðrum að virðingu og réttindum."),
    "names": (["cp1252"], "José,Müller,Øyvind,Zoë,François,Nuñez,Åse", "Benoît;Ibáñez;Gärtner;São Paulo",
        "Zürich,Genève,München,Malmö,Århus,Reykjavík,A Coruña,São João,Besançon,Liège"),
    "units": (["cp1252"], "Temp_°C,Flow_m³,Area_m²,µg", "25°C;±0.5;m³/h",
        "Luft m³/h bei 20°C ± 0,5 – µm²"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "text"),
    [(encoding, text) for encodings, *texts in TEXTS.values() for encoding in encodings for text in texts],
)
def test_words_of_every_language_are_read_in_its_old_encodings(encoding: str, text: str) -> None:
    found, _ = legacy_encoding(text.encode(encoding))
    assert text.encode(encoding).decode(found) == text, found


@pytest.mark.parametrize(
    "name",
    [
        "José",
        "Müller",
        "Øyvind",
        "Zoë",
        "François",
        "Nuñez",
        "Åse",
        "Þórður",
        "maçã",
        "GRÖSSE",
        "dB±3 m³/h à 20°C",
        "14\u00a0112,5",
        "Prix\u00a0total",
        "3½ ¢",
        "£5",
        "100\u00a0€",
    ],
)
def test_a_single_western_name_stays_as_it_is(name: str) -> None:
    assert legacy_encoding(name.encode("cp1252"))[0] == "cp1252"


def test_a_word_of_two_languages_is_said_to_be_in_doubt_with_the_override_of_the_other(tmp_path) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes("Data,Zamknięcie\n2024-01-02,1\n2024-01-03,2\n".encode("cp1250"))
    (guess,) = read_table(path).guesses
    assert (guess.what, guess.override) == ("text in cp1252, or in cp1250: look at the names", "data.encoding=cp1250")


def test_the_encoding_is_found_far_below_the_beginning(tmp_path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(("a,b\n" + "1,x\n" * 400_000 + "2,światło\n3,żółty\n").encode("cp1250"))
    assert read_table(path).frame["b"].iloc[-1] == "żółty"
