using Ome.Shared.Domain;

namespace Ome.Tests.Domain;

public sealed class DurationTextTests
{
    [TestCase("0", 0)]
    [TestCase("300ms", 0.3)]
    [TestCase("30s", 30)]
    [TestCase("10m", 600)]
    [TestCase("1h30m", 5400)]
    [TestCase("7d", 604800)]
    [TestCase("1d2h3m4s5ms", 93784.005)]
    public void A_duration_is_read(string text, double seconds)
    {
        DurationText.TryParse(text, out var duration).Should().BeTrue();
        duration.TotalSeconds.Should().Be(seconds);
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("10")]
    [TestCase("m")]
    [TestCase("-5m")]
    [TestCase("1.5h")]
    [TestCase("5m1h")]
    [TestCase("5m5m")]
    [TestCase("5 m")]
    [TestCase("99999999999d")]
    [TestCase("9999999999999s")]
    public void Anything_else_is_refused(string? text) => DurationText.TryParse(text, out _).Should().BeFalse();

    [TestCase("0s")]
    [TestCase("1h30m")]
    [TestCase("7d")]
    [TestCase("250ms")]
    public void Its_text_round_trips(string text)
    {
        DurationText.TryParse(text, out var duration).Should().BeTrue();
        DurationText.Format(duration).Should().Be(text);
    }

    [TestCase("500", 500)]
    [TestCase("64KiB", 65536)]
    [TestCase("64Ki", 65536)]
    [TestCase("200MB", 200_000_000)]
    [TestCase("1.5GiB", 1610612736)]
    [TestCase("0", 0)]
    public void A_byte_count_is_read(string text, long bytes)
    {
        ByteText.TryParse(text, out var read).Should().BeTrue();
        read.Should().Be(bytes);
    }

    [TestCase("")]
    [TestCase("-1")]
    [TestCase("many")]
    [TestCase("1XB")]
    [TestCase("99999999999TiB")]
    public void A_wrong_byte_count_is_refused(string text) => ByteText.TryParse(text, out _).Should().BeFalse();
}
