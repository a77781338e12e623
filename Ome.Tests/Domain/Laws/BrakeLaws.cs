using CsCheck;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Domain.Laws;

/// <summary>What the brake promises, whatever the order in which agents act.</summary>
public sealed class BrakeLaws
{
    private static readonly DateTimeOffset Now = new(2026, 8, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Window = TimeSpan.FromHours(1);

    private static readonly Gen<WithdrawalLimit> Limits =
        from nodes in Gen.Int[1, 6].Nullable()
        from percent in Gen.Int[1, 100].Nullable()
        select new WithdrawalLimit(nodes, percent);

    /// <summary>
    /// Every node is damaged. In random order each claims, later counts, later acts on what it counted; one that is held takes its claim back and
    /// begins anew. However the steps fall between each other, the limit is never passed; and once they come one after the other it is used up.
    /// </summary>
    [Test]
    public void The_limit_is_never_passed_and_is_used_up_in_the_end() =>
        Gen.Select(Limits, Gen.Int[1, 12], Gen.Int[0, 11].Array[0, 200]).Sample((limit, count, steps) =>
        {
            var fleet = new Fleet(limit, count);
            foreach (var step in steps)
            {
                fleet.Step(step % count);
                if (fleet.Withdrawn > fleet.Most) return false;
            }

            for (var node = 0; node < count; node++) fleet.Finish(node);
            for (var node = 0; node < count; node++) fleet.Finish(node);
            return fleet.Withdrawn == Math.Min(count, fleet.Most);
        });

    [Test]
    public void The_order_in_which_nodes_are_listed_changes_nothing() =>
        Gen.Select(Limits, Gen.Select(Gen.Enum<FleetState>(), Gen.Int[0, 120]).Array[0, 20]).Sample((limit, nodes) =>
        {
            var fleet = nodes.Select((node, i) => new FleetNode($"n{i}", node.Item1, Now - TimeSpan.FromMinutes(node.Item2))).ToList();
            return WithdrawalBrake.Judge(limit, Window, "self", fleet, Now) == WithdrawalBrake.Judge(limit, Window, "self", Enumerable.Reverse(fleet), Now);
        });

    private sealed class Fleet
    {
        private readonly WithdrawalLimit _limit;
        private readonly FleetNode[] _nodes;
        private readonly BrakeRuling?[] _counted;

        public Fleet(WithdrawalLimit limit, int count)
        {
            _limit = limit;
            _nodes = [.. Enumerable.Range(0, count).Select(i => new FleetNode($"n{i}", FleetState.Ready, Now))];
            _counted = new BrakeRuling?[count];
            Most = limit.IsOff ? int.MaxValue : limit.Most(count);
        }

        public int Most { get; }

        public int Withdrawn => _nodes.Count(node => node.State == FleetState.Withdrawn);

        /// <summary>The node's next step: claim, count, or act on its count.</summary>
        public void Step(int at)
        {
            if (_nodes[at].State == FleetState.Withdrawn) return;
            if (_nodes[at].State == FleetState.Ready) Set(at, FleetState.Claiming);
            else if (_counted[at] is not { } ruling) _counted[at] = WithdrawalBrake.Judge(_limit, Window, _nodes[at].Node, _nodes, Now);
            else
            {
                Set(at, ruling.IsHeld ? FleetState.Ready : FleetState.Withdrawn);
                _counted[at] = null;
            }
        }

        /// <summary>Brings the node to the end of what it is at.</summary>
        public void Finish(int at)
        {
            do Step(at);
            while (_nodes[at].State == FleetState.Claiming);
        }

        private void Set(int at, FleetState state) => _nodes[at] = _nodes[at] with { State = state };
    }
}
