using Microsoft.Extensions.Time.Testing;
using Ome.Agent.Watching;
using Ome.Shared.Domain.Models;

namespace Ome.Tests.Agent.Watching;

/// <summary>A kernel that refuses watches is asked ever less often.</summary>
public sealed class WatchRetriesTests
{
    private static readonly ModelKey Model = ModelKey.Cluster("unwatched");

    [Test]
    public void A_watch_that_is_refused_is_tried_again_after_doubling_pauses_up_to_minutes()
    {
        var time = new FakeTimeProvider();
        var retries = new WatchRetries(time);
        retries.MayTry(Model).Should().BeTrue();
        foreach (var pause in new[] { 2, 4, 8, 16, 32, 64, 128, 256, 300, 300 })
        {
            retries.Failed(Model).Should().Be(pause == 2, "only the first refusal is news");
            time.Advance(TimeSpan.FromSeconds(pause - 1));
            retries.MayTry(Model).Should().BeFalse();
            time.Advance(TimeSpan.FromSeconds(1));
            retries.MayTry(Model).Should().BeTrue();
        }

        retries.MayTry(ModelKey.Cluster("other")).Should().BeTrue();
    }

    [Test]
    public void A_watch_that_stands_forgets_its_refusals()
    {
        var retries = new WatchRetries(new FakeTimeProvider());
        retries.Failed(Model);
        retries.Failed(Model).Should().BeFalse();

        retries.Forget(Model);

        retries.MayTry(Model).Should().BeTrue();
        retries.Failed(Model).Should().BeTrue();
    }
}
