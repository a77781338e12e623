using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Domain.Verification;

public sealed class VerificationPolicyTests
{
    [Test]
    public void The_defaults_are_in_range() => new VerificationPolicy().Problems().Should().BeEmpty();

    [Test]
    public void Each_problem_names_field_value_and_remedy()
    {
        new VerificationPolicy { Interval = TimeSpan.FromSeconds(1) }.Problems().Should().Equal("interval is 00:00:01; it must be between 00:00:10 and 1.00:00:00.");
        new VerificationPolicy { BytesPerSecond = 5 }.Problems().Should().Equal("bytesPerSecond is 5; it must be 0 (unlimited) or at least 1000000.");
        new VerificationPolicy { Interval = TimeSpan.FromHours(1), DeepMaxAge = TimeSpan.FromHours(3) }.Problems().Should().ContainSingle()
            .Which.Should().Be("deepMaxAge is 03:00:00; it must be at least four times the interval (01:00:00): raise it or lower the interval.");
    }
}
