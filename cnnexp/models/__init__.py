"""The networks: plain `nn.Module`s, one family per file, nothing of Lightning in them."""
