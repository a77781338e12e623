using Ome.LocalCluster.Schemas;

namespace Ome.Tests.LocalCluster.Schemas;

/// <summary>Formats of strings: one that fits and one that does not.</summary>
public sealed class StringFormatTests
{
    [TestCase("date-time", "2026-01-02T03:04:05Z", "2026-01-02")]
    [TestCase("date-time", "2026-01-02T03:04:05.123456+02:00", "2026-13-02T03:04:05Z")]
    [TestCase("date", "2026-01-02", "2026-02-30")]
    [TestCase("duration", "1h30m", "soon")]
    [TestCase("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567")]
    [TestCase("byte", "aGVsbG8=", "!!")]
    [TestCase("ipv4", "10.0.0.1", "10.1")]
    [TestCase("ipv6", "::1", "10.0.0.1")]
    [TestCase("cidr", "10.0.0.0/8", "10.0.0.0/33")]
    [TestCase("hostname", "a-b.example", "-a")]
    [TestCase("email", "a@b.io", "a at b")]
    public void Format(string format, string good, string bad)
    {
        StringFormats.Matches(format, good).Should().BeTrue();
        StringFormats.Matches(format, bad).Should().BeFalse();
    }

    [Test]
    public void An_unknown_format_accepts_everything() => StringFormats.Matches("colour-of-the-sky", "anything").Should().BeTrue();
}
