using Ome.Agent.Integrity;
using Ome.Agent.Models;
using Ome.Shared.Domain.Models;

namespace Ome.Tests.Agent.Integrity;

/// <summary>A full check may be asked for in two places; each value is answered once.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class FullCheckRequestsTests
{
    private static readonly ModelKey Key = ModelKey.Cluster("m");
    private static readonly ModelRecord Record = new() { Kind = ModelKind.ClusterBaseModel, Namespace = "", Name = "m", Uid = "u", StorageUri = "local:///m", StoragePath = "/m", Phase = ModelPhase.Ready, Since = DateTimeOffset.UnixEpoch };

    private readonly FullCheckRequests _requests = new();

    [Test]
    public void The_two_places_do_not_answer_for_each_other()
    {
        _requests.Ask(Key, Record, new FullCheckRequest("monday", null)).Should().BeTrue();
        _requests.Ask(Key, Record, new FullCheckRequest(null, "tuesday")).Should().BeTrue();
        var asked = _requests.Of(Key);

        _requests.Answered(Key, asked);
        var after = asked.AnswerIn(Record);

        _requests.Of(Key).IsOpen.Should().BeFalse();
        _requests.Ask(Key, after, new FullCheckRequest("monday", null)).Should().BeFalse();
        _requests.Ask(Key, after, new FullCheckRequest(null, "tuesday")).Should().BeFalse();
    }

    [Test]
    public void What_is_asked_during_a_check_stays_open()
    {
        _requests.Ask(Key, Record, new FullCheckRequest("monday", null));
        var asked = _requests.Of(Key);
        _requests.Ask(Key, Record, new FullCheckRequest("noon", "tuesday"));

        _requests.Answered(Key, asked);

        _requests.Of(Key).Should().Be(new FullCheckRequest("noon", "tuesday"));
    }

    [Test]
    public void The_same_again_is_nothing_new()
    {
        _requests.Ask(Key, Record, new FullCheckRequest("monday", null)).Should().BeTrue();

        _requests.Ask(Key, Record, new FullCheckRequest("monday", null)).Should().BeFalse();
        _requests.Ask(Key, Record, new FullCheckRequest("", null)).Should().BeFalse();
        _requests.Ask(Key, Record, FullCheckRequest.None).Should().BeFalse();
    }
}
