"""CPU time per image of the data path alone, against the classic one, and whether both make the same pixels.

    python benchmarks/images_datapath.py [--arrays cifar10.npz] [--rounds 7] [--cases 10000]

Classic: a PIL image per item, torchvision transforms (flip, rotation by up to 10 degrees, tensor, normalise), a
DataLoader with a WeightedRandomSampler. Ours: the same sampling, batches of uint8, one gather, normalise. Both in one
process with one thread, taking turns; the fastest round of each counts. The images are random without --arrays.
"""

import argparse
import os
import time

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler
from torchvision import transforms as T

from fulmen.data.batches import BatchLoader
from fulmen.workloads.images.augmentation import STEP_DEGREES, Augmentation, angles, move, turn_table
from fulmen.workloads.images.module import ImageClassifier
from fulmen.workloads.images.networks.cnn import AdvancedCNN
from fulmen.workloads.images.samplers import Weighted

BATCH, MEAN, SD = 128, (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


class Classic(Dataset):
    """One image at a time, by way of PIL; x uint8 [N, H, W, 3]."""

    def __init__(self, x: np.ndarray, y: np.ndarray):
        self.x, self.y = x, y
        self.transform = T.Compose([
            T.RandomHorizontalFlip(), T.RandomRotation(10), T.ToTensor(), T.Normalize(MEAN, SD)
        ])  # fmt: skip

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.x[i])), int(self.y[i])


def classic_loader(x: np.ndarray, y: np.ndarray) -> DataLoader:
    weights = 1 / np.bincount(y)[y]
    return DataLoader(Classic(x, y), BATCH, sampler=WeightedRandomSampler(weights.tolist(), len(y)))


def our_loader(x: np.ndarray, y: np.ndarray) -> BatchLoader:
    image, label = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))), torch.from_numpy(y)
    sampler = Weighted()
    return BatchLoader(
        {"image": image, "label": label}, BATCH, shuffle=True, order=lambda _, generator: sampler(label, generator, 0.0)
    )


def classic(loader: DataLoader, images: int) -> float:
    """CPU microseconds per image."""
    started, seen = time.process_time(), 0
    for image, _ in loader:
        seen += len(image)
        if seen >= images:
            break
    return 1e6 * (time.process_time() - started) / seen


def ours(loader: BatchLoader, model: ImageClassifier) -> float:
    """CPU microseconds per image, a whole epoch."""
    started, seen = time.process_time(), 0
    for batch in loader:
        seen += len(model.normalised(model.augmentation(batch["image"])))
    return 1e6 * (time.process_time() - started) / seen


def differing(x: np.ndarray, cases: int) -> tuple[int, float]:
    """Pixels that differ from PIL's at tabulated angles, and their share at angles in between."""
    degrees, table = angles(10.0), turn_table(*x.shape[1:3], 10.0, True)
    rng, wrong, between = np.random.default_rng(0), 0, 0.0
    for _ in range(cases):
        image, angle, flip = x[rng.integers(len(x))], rng.uniform(-10, 10), rng.integers(2)
        k = int(np.abs(degrees - angle).argmin())
        batch = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
        made = move(batch, table[[flip * len(degrees) + k]])[0].permute(1, 2, 0).numpy()
        source = Image.fromarray(image)
        source = source.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else source
        wrong += int((made != np.asarray(source.rotate(float(degrees[k])))).any(-1).sum())
        between += float((made != np.asarray(source.rotate(angle))).any(-1).mean())
    return wrong, between / cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arrays")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cases", type=int, default=10_000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.arrays:
        with np.load(arguments.arrays) as stored:
            x, y = stored["x_train"], stored["y_train"].astype(np.int64)
    else:
        rng = np.random.default_rng(0)
        x, y = rng.integers(0, 256, (50_000, 32, 32, 3), dtype=np.uint8), rng.integers(0, 10, 50_000)
    model = ImageClassifier(AdvancedCNN(), augmentation=Augmentation(flip=True))
    old, new = classic_loader(x, y), our_loader(x, y)
    pairs = [(classic(old, 5000), ours(new, model)) for _ in range(arguments.rounds + 1)][1:]  # the first warms up
    slow, fast = (min(side) for side in zip(*pairs, strict=True))
    ratio = float(np.median([a / b for a, b in pairs]))
    print(f"classic: {slow:.0f} us CPU per image; ours: {fast:.2f} us; {slow / fast:.1f} times less "
          f"(median of {len(pairs)} pairs: {ratio:.1f})")  # fmt: skip
    wrong, between = differing(x, arguments.cases)
    print(f"{wrong} differing pixels in {arguments.cases:,} random cases (image, flip, tabulated angle)")
    print(f"angles are tabulated every {STEP_DEGREES} degrees; of those in between {between:.2%} of the pixels differ")


if __name__ == "__main__":
    main()
