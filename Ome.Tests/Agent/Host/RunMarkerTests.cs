using Ome.Agent.Hosting;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Host;

public sealed class RunMarkerTests
{
    [Test]
    public async Task Only_a_run_that_did_not_end_in_order_was_cut_off()
    {
        using var state = new TempDirectory();
        var first = new RunMarker(state.Path);
        first.LastRunWasCutOff.Should().BeFalse();
        await first.StartAsync(CancellationToken.None);

        var second = new RunMarker(state.Path);
        second.LastRunWasCutOff.Should().BeTrue();
        await second.StartAsync(CancellationToken.None);
        await second.StopAsync(CancellationToken.None);

        new RunMarker(state.Path).LastRunWasCutOff.Should().BeFalse();
    }
}
