#!/usr/bin/env perl
# frames.pl EDGE SHOWTIME: what a browser is sent, a frame a line. Perl, for every Debian has it;
# the mask key is zero, so that the subscribe frame can be read here. Frames of up to 64 KiB.
use strict;
use warnings;
use IO::Socket::INET;
my ($edge, $showtime) = @ARGV;
my $socket = IO::Socket::INET->new(PeerAddr => $edge) or die "cannot reach the edge on $edge: $@\n";
$| = 1;
sub bytes {
  my ($count) = @_;
  my $data = '';
  while (length $data < $count) {
    read($socket, $data, $count - length $data, length $data) or die "the edge closed\n";
  }
  return $data;
}
print $socket "GET /ws/seat-updates HTTP/1.1\r\nHost: $edge\r\nUpgrade: websocket\r\n"
  . "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
  . "Sec-WebSocket-Key: c2VhdGxvY2stZnJhbWVzIQ==\r\n\r\n";
$socket->flush;
my $status = <$socket>;
die "the edge refused: $status" unless $status =~ / 101 /;
while (my $line = <$socket>) { last if $line eq "\r\n" }
sub send_frame {
  my ($opcode, $payload) = @_;
  print $socket pack('CCN', 0x80 | $opcode, 0x80 | length $payload, 0), $payload;
  $socket->flush;
}
send_frame(1, qq({"type":"subscribe","showtimeId":"$showtime"}));
while (1) {
  my ($first, $length) = unpack('CC', bytes(2));
  $length = unpack('n', bytes(2)) if $length == 126;
  my $payload = $length ? bytes($length) : '';
  my $opcode = $first & 0x0f;
  if ($opcode == 1) { print "$payload\n" }
  if ($opcode == 9) { send_frame(10, $payload) }
  if ($opcode == 8) { die "the edge closed with " . unpack('n', $payload) . "\n" }
}
