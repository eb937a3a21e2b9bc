"""The columns of a table of subjects: units, limits, and what holds where a cell is left empty."""

from dataclasses import dataclass

from fulmen.workloads.pbpk.simulator.body import AGE_Y
from fulmen.workloads.pbpk.simulator.partition import KINDS
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.population import ROUTES, SEXES

MOST_DOSES = 1000


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        meaning: with its unit.
        levels: of a column of names.
        low: the lowest value.
        high: the highest value.
        open_low: whether `low` itself is too low.
        whole: numbers without a fraction alone.
        text: any text.
    """

    name: str
    meaning: str
    levels: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1e12
    open_low: bool = True
    whole: bool = False
    text: bool = False

    @property
    def is_number(self) -> bool:
        return not self.levels and not self.text

    @property
    def limits(self) -> str:
        """What a value may be, in words."""
        if self.levels:
            return ", ".join(self.levels)
        ends = [f"above {self.low:g}" if self.open_low else f"{self.low:g} or more"]
        if self.high < 1e12:
            ends = [f"{'above ' if self.open_low else ''}{self.low:g} to {self.high:g}"]
        return f"{'a whole number, ' * self.whole}{ends[0]}"


COLUMNS = (
    Column("subject", "name of the subject; left out: the number of the row", text=True),
    Column("age_y", "years, 1 to 80; left out: 35", low=AGE_Y[0], high=AGE_Y[1], open_low=False),
    Column("sex", "male or female; left out: male", levels=SEXES),
    Column("weight_kg", "kg; left out: the reference of that age and sex"),
    Column("compound", "name of the drug", text=True),
    Column("log_p", "log10 of the octanol:water coefficient", low=-10, high=15, open_low=False),
    Column("kind", "of the drug; left out: neutral", levels=KINDS),
    Column("pka", "of an acid or a base; of a zwitterion that of its base", low=-10, high=25, open_low=False),
    Column("pka_acid", "of the acid of a zwitterion", low=-10, high=25, open_low=False),
    *(
        Column(f"kp_{organ}", "tissue to plasma, in place of log_p, kind and pka", high=1e6)
        for organ in ORGANS
        if organ != "blood"
    ),
    Column("fraction_unbound", "in plasma", high=1),
    Column("blood_plasma_ratio", "left out: 1", low=0.1, high=1000, open_low=False),
    Column("clint_l_per_h", "intrinsic clearance of the liver, of unbound drug, L/h", open_low=False),
    Column("renal_clint_l_per_h", "the same of the kidneys", open_low=False),
    Column("hepatic_clearance_l_per_h", "of plasma, L/h, of a man of 73 kg; in place of clint_l_per_h", open_low=False),
    Column("renal_clearance_l_per_h", "the same, in place of renal_clint_l_per_h", open_low=False),
    Column("km_mg_per_l", "unbound concentration at half the capacity of the liver, mg/L; left out: linear kinetics"),
    Column("route", "of the doses", levels=ROUTES),
    Column("dose_mg", "each dose, mg"),
    Column("infusion_h", "how long an infusion takes, h", open_low=False),
    Column("bioavailability", "fraction absorbed from the gut, before the liver; left out: 1", high=1),
    Column("gut_extraction", "share that the gut wall metabolises of it; left out: 0", high=0.999, open_low=False),
    Column("absorption_rate_per_h", "of an oral dose, 1/h; left out: 1", high=1e4),
    Column("n_doses", "how often the dose is given; left out: 1", low=1, high=MOST_DOSES, open_low=False, whole=True),
    Column("interval_h", "between doses, h"),
)
NAMES = tuple(column.name for column in COLUMNS)
KP = tuple(name for name in NAMES if name.startswith("kp_"))
