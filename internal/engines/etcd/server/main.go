// The ordinary etcd, with segments of its log of 1 MiB, not 64: a fresh data folder takes 2 MB, not 123.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"go.etcd.io/etcd/server/v3/storage/wal"
)

func main() {
	wal.SegmentSizeBytes = 1 << 20
	etcdmain.Main(os.Args)
}
