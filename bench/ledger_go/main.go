// Reads what bench/ledger_go.py wrote and checks it with the packages that Go's own checksum
// database uses: notes and their signatures, inclusion and consistency proofs, tiles.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type tree struct {
	Size       int64
	Root       []byte
	Checkpoint string
	Before     int64
	OldRoot    []byte
	Proof      [][]byte
}

type leaf struct {
	Size, Index int64
	Root, Entry []byte
	Proof       [][]byte
}

type input struct {
	Key, Secret string
	Trees       []tree
	Leaves      []leaf
}

func hash(data []byte) (h tlog.Hash) {
	if len(data) != len(h) {
		log.Fatalf("a hash of %d bytes", len(data))
	}
	copy(h[:], data)
	return h
}

func hashes(proof [][]byte) (out []tlog.Hash) {
	for _, p := range proof {
		out = append(out, hash(p))
	}
	return out
}

func must(err error, what string) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}

func main() {
	var in input
	must(json.NewDecoder(os.Stdin).Decode(&in), "input")
	key, err := note.NewVerifier(in.Key)
	must(err, "public key")
	secret, err := note.NewSigner(in.Secret)
	must(err, "secret key")
	for _, t := range in.Trees {
		opened, err := note.Open([]byte(t.Checkpoint), note.VerifierList(key))
		must(err, "checkpoint")
		signed, err := note.Sign(&note.Note{Text: opened.Text}, secret)
		must(err, "signing")
		if string(signed) != t.Checkpoint {
			log.Fatal("Go signs this checkpoint otherwise")
		}
		if t.Before > 0 {
			err = tlog.CheckTree(hashes(t.Proof), t.Size, hash(t.Root), t.Before, hash(t.OldRoot))
			must(err, "consistency proof")
		}
	}
	for _, l := range in.Leaves {
		err = tlog.CheckRecord(hashes(l.Proof), l.Size, hash(l.Root), l.Index, tlog.RecordHash(l.Entry))
		must(err, "inclusion proof")
	}
	fmt.Printf("Go agrees: %d checkpoints, %d entries\n", len(in.Trees), len(in.Leaves))
}
