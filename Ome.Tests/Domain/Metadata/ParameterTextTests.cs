using Ome.Shared.Domain.Metadata;

namespace Ome.Tests.Domain.Metadata;

/// <summary>Contract P01, P02 and the examples of section 6.6.</summary>
public sealed class ParameterTextTests
{
    [TestCase(0, "0")]
    [TestCase(500, "500")]
    [TestCase(1_000_000, "1M")]
    [TestCase(1_500_000, "1.5M")]
    [TestCase(1_000_000_000, "1B")]
    [TestCase(7_000_000_000, "7B")]
    [TestCase(13_000_000_000, "13B")]
    [TestCase(8_030_261_248, "8.03B")]
    [TestCase(70_553_706_496, "70.55B")]
    [TestCase(405_853_388_800, "405.85B")]
    [TestCase(671_026_419_200, "671.03B")]
    [TestCase(1_235_814_400, "1.24B")]
    [TestCase(46_700_000_000, "46.7B")]
    [TestCase(7_110_000_000, "7.1B")]
    [TestCase(1_250_000_000, "1.2B")]
    [TestCase(999_999_999, "1000.00M")]
    [TestCase(1_500_000_000_000, "1.5T")]
    public void A_count_is_written_as_people_write_it(long count, string text) => ParameterText.Format(count).Should().Be(text);
}
