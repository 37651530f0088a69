module toolchain/nominal-resizer

go 1.26
