"""The main job on a real model: parameter groups in a real optimizer (`make demo`)."""

import timm
import torch

from lrd_registry import build_param_groups


def main() -> None:
    """Fine-tune a small ViT for one step, each layer at its own learning rate."""
    model = timm.create_model("vit_tiny_patch16_224", num_classes=10)
    optimizer = torch.optim.AdamW(build_param_groups(model, arch="vit", lr=1e-3))
    loss = model(torch.randn(2, 3, 224, 224)).square().mean()
    loss.backward()
    optimizer.step()
    print("\nvit_tiny_patch16_224 after one step of torch.optim.AdamW, base learning rate 1e-3:")
    for group in optimizer.param_groups:
        print(
            f"{group['name']:20} lr {group['lr']:.6f}  weight decay {group['weight_decay']:.2f}  "
            f"{len(group['params']):3} parameters"
        )


if __name__ == "__main__":
    main()
