package main

import "fmt"

// order is what one client has seen of one thread, and judges it: every seq once and none missing, entries by rising
// seq, each sender's messages in the order in which it sent them, and its own outcomes likewise.
type order struct {
	// next is the lowest seq that has not been seen.
	next uint64
	// ahead has the seqs above it that have: an entry may come before the outcome of an own send below it.
	ahead       map[uint64]bool
	lastEntry   uint64
	ownNumber   uint32
	ownSeq      uint64
	othersNexts map[uint32]uint32
}

// newOrder is of a thread whose entries up to head were there before.
func newOrder(head uint64) *order {
	return &order{next: head + 1, ahead: map[uint64]bool{}, othersNexts: map[uint32]uint32{}}
}

// entry notes another user's entry: that sender's message of this number, counted from 0.
func (o *order) entry(sender, number uint32, seq uint64) error {
	if seq <= o.lastEntry {
		return fmt.Errorf("the entry of seq %d came after that of %d", seq, o.lastEntry)
	}
	o.lastEntry = seq
	if want := o.othersNexts[sender]; number != want {
		return fmt.Errorf("message %d of sender %d came where %d was due (seq %d)", number, sender, want, seq)
	}
	o.othersNexts[sender] = number + 1
	return o.see(seq)
}

// accepted notes the outcome of the own send of this number, counted from 0.
func (o *order) accepted(number uint32, seq uint64) error {
	if number != o.ownNumber {
		return fmt.Errorf("send %d was accepted where %d was due (seq %d)", number, o.ownNumber, seq)
	}
	o.ownNumber++
	if seq <= o.ownSeq {
		return fmt.Errorf("send %d was accepted at seq %d, the one before it at %d", number, seq, o.ownSeq)
	}
	o.ownSeq = seq
	return o.see(seq)
}

func (o *order) see(seq uint64) error {
	if seq < o.next || o.ahead[seq] {
		return fmt.Errorf("seq %d came twice", seq)
	}
	o.ahead[seq] = true
	for o.ahead[o.next] {
		delete(o.ahead, o.next)
		o.next++
	}
	return nil
}

// whole says what is missing now that everything should have come.
func (o *order) whole() error {
	if len(o.ahead) > 0 {
		return fmt.Errorf("seq %d never came, and %d above it did", o.next, len(o.ahead))
	}
	return nil
}
