"""Letters by which the encoding of an old text is known: what each language writes beyond a to z."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """One language, or a family that shares its letters.

    Attributes:
        letters: lower case, beyond a to z; empty where the `common` signs of thousands stand for all.
        encodings: old ones it is written in, the most used first.
        common: those that most texts are made of.
        latin: whether its words hold letters of a to z as well.
    """

    letters: str
    encodings: tuple[str, ...]
    common: str = ""
    latin: bool = True


WESTERN = (  # the letters, and where in a word they cannot stand
    ("äöüß", ""),
    ("àâæçéèêëîïôœùûüÿ", r"à\w|[^o]ù"),
    ("áéíñóúüªº", ""),
    ("àèéìíîòóùú", r"[àìòùí]\w|\bè\w"),
    ("ãáàâçéêíóôõúüªº", r"õ(?!e)|à\w"),
    ("áèéëïíóöü", ""),
    ("æøåéèêòóôäö", ""),
    ("åäöéàü", ""),
    ("áðéíóúýþæö", r"\bð|þ\b|[cwqz]"),
    ("àçèéíïòóúüñ", ""),
    ("áéíóú", ""),
    ("äöõüšž", ""),
)
CENTRAL = ("cp1250", "iso-8859-2")
CYRILLIC = ("cp1251", "koi8-r", "cp866", "iso-8859-5")
CHINESE = (
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于"
    "起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理美点月明"
    "其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并内加化"
    "由却代军产入先山五太水万市设备温度振光照状态维护编号期盘收价量额低均成交强湿压流速转环境值故障障类型数据标签参读轴率亮结果"
    "轮次训练损失验证测试准确精步习"
)
TRADITIONAL = (
    "的一是不了在人有我他這中大來上國個到說們為子和你地出道也時年得就那要下以生會自著去之過家學對可她裡後小麼心多天而能好都然沒日於"
    "起還發成事只作當想看文無開手十用主行方又如前所本見經頭面公同三已老從動兩長知民樣現分將外但身些與高意進把法此實回二理美點月明"
    "其種聲全工己話兒者向情部正名定女問力機給等幾很業最間新什打便位因重被走電四第門相次東政海口使教西再平真聽世氣信北少關並內加化"
    "由設備溫度振光照狀態維護編號期盤收價量額低均交強濕壓流速轉環境值故障類型數據標籤參讀軸率亮結果"
    "輪次訓練損失驗證測試準確精步習"
)
JAPANESE = (
    "日一国人年大十二本中長出三時行見月分後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川"
    "千水半男西電校語土木聞食車何南万毎白天母火右読友左休父雨機械設備温度振動照光状態保守番号刻付終始値安来高"
    "湿圧力回転数正常異常結果測定装置要否"
    "訓練検証損失学習精度"
)
HANGUL = (
    "이다는을가에의한고하지도로사기대인시를은어자리스나아일해정서전있그수과부라제보여주동장상으원성구조비만도"
    "들것유교무선소신국연공문오화개계적우행미면시간온도설비진동날짜종가거래량저밝상태점검필요없음예니오번호측"
    "값위모센터압력습속도기계정고장결함경않안세분용생각중"
    "훈련학습증손실"
)
LANGUAGES = (
    Language("ąćęłńóśźż", CENTRAL),
    Language("áčďéěíňóřšťúůýž", CENTRAL),
    Language("áäčďéíĺľňóôŕšťúýž", CENTRAL),
    Language("áéíóöőúüű", CENTRAL),
    Language("čćđšž", CENTRAL),
    Language("ăâîşţșț", (*CENTRAL, "iso-8859-16")),
    Language("âçğıîöşüû", ("cp1254",)),
    Language("ąčęėįšųūž", ("cp1257", "iso-8859-13")),
    Language("āčēģīķļņšūž", ("cp1257", "iso-8859-13")),
    Language("абвгдежзийклмнопрстуфхцчшщъыьэюяё", CYRILLIC, "оеаинтсрвл", latin=False),
    Language("абвгдежзийклмнопрстуфхцчшщьюяєіїґ", ("cp1251", "koi8-u"), "оаинтівер", latin=False),
    Language("абвгдежзијклмнопрстуфхцчшђљњћџ", ("cp1251", "iso-8859-5"), "аоиенр", latin=False),
    Language("αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ", ("cp1253", "iso-8859-7"), "αοιετσνηυρ", latin=False),
    Language("אבגדהוזחטיךכלםמןנסעףפץצקרשת", ("cp1255",), "יוהלאמרתבנ", latin=False),
    Language("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگکی", ("cp1256",), "اليمنورتبةه", latin=False),
    Language("", ("gb18030",), CHINESE, latin=False),
    Language("", ("big5",), TRADITIONAL, latin=False),
    Language("", ("cp932", "euc_jp"), JAPANESE, latin=False),
    Language("", ("cp949",), HANGUL, latin=False),
)
