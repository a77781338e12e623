using CsCheck;
using Ome.Shared.Kube;

namespace Ome.Tests.Kube;

/// <summary>Random puts and takes against the plain definition: a list that is searched for the earliest.</summary>
public sealed class DueQueueLaws
{
    private sealed record Step(int Key, int Due, int Value, bool Take, int Now);

    private static readonly Gen<Step[]> Steps =
        Gen.Select(Gen.Int[0, 8], Gen.Int[0, 40], Gen.Int[0, 1000], Gen.Int[0, 2], Gen.Int[0, 50], (key, due, value, take, now) => new Step(key, due, value, take == 0, now))
            .Array[0, 200];

    [Test]
    public void It_gives_what_a_list_searched_for_the_earliest_would_give() => Steps.Sample(steps =>
    {
        var queue = new DueQueue<int, int>();
        var model = new Dictionary<int, (int Value, int Due, int Ticket)>();
        var tickets = 0;
        foreach (var step in steps)
        {
            if (step.Take)
            {
                var expected = model.Where(pair => pair.Value.Due <= step.Now).OrderBy(pair => pair.Value.Due).ThenBy(pair => pair.Value.Ticket).Take(1).ToList();
                var taken = queue.TryTake(step.Now, out var value, out var due);
                if (taken != (expected.Count == 1)) return false;
                if (!taken) continue;
                if (value != expected[0].Value.Value || due != expected[0].Value.Due) return false;
                model.Remove(expected[0].Key);
            }
            else
            {
                queue.Put(step.Key, step.Due, step.Value, (old, newer) => (old * 31) + newer);
                var known = model.TryGetValue(step.Key, out var before);
                var merged = known ? (before.Value * 31) + step.Value : step.Value;
                model[step.Key] = known && before.Due <= step.Due ? before with { Value = merged } : (merged, step.Due, ++tickets);
            }
            if (queue.Count != model.Count) return false;
            if (queue.NextDue() != (model.Count == 0 ? null : model.Values.Min(waiting => waiting.Due))) return false;
        }
        return true;
    });

    [Test]
    public void A_key_pulled_forward_again_and_again_leaves_no_pile_behind()
    {
        var queue = new DueQueue<int, int>();
        for (var i = 0; i < 100_000; i++) queue.Put(i % 10, 1_000_000 - i, i, (_, newer) => newer);
        queue.Count.Should().Be(10);
        queue.OrderLength.Should().BeLessThanOrEqualTo(84);
    }

    [Test]
    public void Delays_stay_within_half_and_full_of_the_doubling_up_to_the_cap() =>
        Gen.Select(Gen.Int[1, 200], Gen.Int, Gen.Int).Sample((attempt, key, seed) =>
        {
            var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5), seed);
            var bound = Math.Min(Math.Pow(2, attempt - 1), 300);
            var delay = backoff.Delay(attempt, key).TotalSeconds;
            return delay >= (bound / 2) - 1e-6 && delay <= bound + 1e-6 && backoff.Delay(attempt, key) == backoff.Delay(attempt, key);
        });

    [Test]
    public void Delays_of_different_processes_differ()
    {
        var delays = Enumerable.Range(0, 1000).Select(seed => new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5), seed).Delay(4)).ToList();
        delays.Distinct().Should().HaveCountGreaterThan(990);
        delays.Average(delay => delay.TotalSeconds).Should().BeApproximately(6, 0.2, "they spread evenly between 4 s and 8 s");
    }
}
