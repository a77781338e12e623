using Microsoft.Extensions.Time.Testing;
using Ome.Agent.Watching;
using Ome.Shared.Domain.Models;

namespace Ome.Tests.Agent.Watching;

/// <summary>A model in whose directory somebody writes all the time is looked at now and then; one that is quiet, or damaged, at once.</summary>
public sealed class LookPaceTests
{
    private static readonly ModelKey Model = ModelKey.Cluster("noisy");

    private FakeTimeProvider _time = null!;
    private LookPace _pace = null!;

    [SetUp]
    public void Begin() => _pace = new LookPace(_time = new FakeTimeProvider());

    [Test]
    public void Looks_in_a_row_that_find_nothing_are_a_second_apart()
    {
        Look(TimeSpan.FromMilliseconds(5));
        _pace.Wait(Model).Should().Be(TimeSpan.Zero, "one look is no row");
        Look(TimeSpan.FromMilliseconds(5));

        for (var i = 0; i < 5; i++)
        {
            _pace.Wait(Model).Should().Be(TimeSpan.FromSeconds(1));
            _time.Advance(TimeSpan.FromSeconds(1));
            _pace.Wait(Model).Should().Be(TimeSpan.Zero);
            Look(TimeSpan.FromMilliseconds(5));
        }

        _pace.Wait(ModelKey.Cluster("other")).Should().Be(TimeSpan.Zero);
    }

    [TestCase(2, 10)]
    [TestCase(600, 60)]
    public void Looks_that_take_long_are_further_apart_within_a_minute(int seconds, int gap)
    {
        for (var i = 0; i < 3; i++) Look(TimeSpan.FromSeconds(seconds));

        _pace.Wait(Model).Should().Be(TimeSpan.FromSeconds(gap));
    }

    [Test]
    public void The_first_change_after_quiet_and_the_first_after_damage_are_looked_at_at_once()
    {
        for (var i = 0; i < 3; i++) Look(TimeSpan.FromMilliseconds(5));
        _time.Advance(TimeSpan.FromSeconds(30));
        Look(TimeSpan.FromMilliseconds(5));
        _pace.Wait(Model).Should().Be(TimeSpan.Zero, "the row ended long ago");

        Look(TimeSpan.FromMilliseconds(5));
        _pace.Wait(Model).Should().BePositive();
        Look(TimeSpan.FromMilliseconds(5), foundNews: true);
        _pace.Wait(Model).Should().Be(TimeSpan.Zero);
    }

    [Test]
    public void What_changes_while_a_look_of_a_row_is_under_way_waits_from_its_begin()
    {
        for (var i = 0; i < 2; i++) Look(TimeSpan.FromMilliseconds(5));
        _time.Advance(TimeSpan.FromSeconds(1));
        _pace.Began(Model);
        _time.Advance(TimeSpan.FromMilliseconds(400));

        _pace.Wait(Model).Should().Be(TimeSpan.FromMilliseconds(600));
    }

    private void Look(TimeSpan takes, bool foundNews = false)
    {
        var began = _pace.Began(Model);
        _time.Advance(takes);
        _pace.Ended(Model, began, foundNews);
    }
}
