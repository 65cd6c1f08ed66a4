#!/usr/bin/env perl
# frames.pl EDGE SHOWTIME: what a browser is sent, a frame a line. Perl, for every Debian has it;
# the mask key is zero, so that the subscribe frame can be read here. Frames of up to 64 KiB. If
# SEATLOCK_TOKEN_JWKS names a file with a shared secret, a viewer's token of an hour goes along.
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
  my $length = length $payload;
  print $socket $length < 126
    ? pack('CCN', 0x80 | $opcode, 0x80 | $length, 0)
    : pack('CCnN', 0x80 | $opcode, 0x80 | 126, $length, 0), $payload;
  $socket->flush;
}
sub token_member {
  my $file = $ENV{SEATLOCK_TOKEN_JWKS} // '';
  return '' unless -r $file;
  require Digest::SHA;
  require JSON::PP;
  require MIME::Base64;
  open my $in, '<', $file or die "$file: $!\n";
  my ($key) = grep { $_->{kty} eq 'oct' } @{JSON::PP::decode_json(join '', <$in>)->{keys}};
  return '' unless $key;
  my %header = (alg => 'HS256', typ => 'JWT', $key->{kid} ? (kid => $key->{kid}) : ());
  my %claims = (showtimes => '*', exp => time + 3600);
  my $text = join '.',
    map { MIME::Base64::encode_base64url(JSON::PP::encode_json($_)) } \%header, \%claims;
  my $secret = MIME::Base64::decode_base64url($key->{k});
  my $signature = MIME::Base64::encode_base64url(Digest::SHA::hmac_sha256($text, $secret));
  return qq(,"token":"$text.$signature");
}
my $subscribe = qq({"type":"subscribe","showtimeId":"$showtime") . token_member() . '}';
send_frame(1, $subscribe);
while (1) {
  my ($first, $length) = unpack('CC', bytes(2));
  $length = unpack('n', bytes(2)) if $length == 126;
  my $payload = $length ? bytes($length) : '';
  my $opcode = $first & 0x0f;
  if ($opcode == 1) { print "$payload\n" }
  if ($opcode == 9) { send_frame(10, $payload) }
  if ($opcode == 8) { die "the edge closed with " . unpack('n', $payload) . "\n" }
}
