namespace Ome.Shared.Domain.Metadata;

/// <summary>The dimensions a parameter count can be guessed from; 0 where the config is silent.</summary>
internal readonly record struct ModelDimensions(long Hidden, long Layers, long Intermediate, long Vocabulary, long Experts, long VisionLayers);

/// <summary>Parameter counts when the weights cannot be counted: the known size, else the family's estimate (contract 6.4).</summary>
internal static class SizeEstimate
{
    private const double Billion = 1_000_000_000;

    public static long Of(ModelFamily family, ModelDimensions dims)
    {
        foreach (var size in family.Sizes)
        {
            if (IsOf(size, dims)) return size.Count;
        }

        return family.Otherwise switch
        {
            Estimate.Llama => Floored(Dense(dims, 32000)),
            Estimate.Standard => Whole(Dense(dims, 2.0 * dims.Vocabulary)),
            Estimate.Generic => Whole(GenericCount(dims)),
            _ => 0,
        };
    }

    private static bool IsOf(KnownSize size, ModelDimensions dims) =>
        Fits(size.Hidden, dims.Hidden, size.OrMore) && Fits(size.Layers, dims.Layers, size.OrMore) && Fits(size.Experts, dims.Experts)
        && Fits(size.VisionLayers, dims.VisionLayers) && Fits(size.LeastVocabulary, dims.Vocabulary, orMore: true);

    private static bool Fits(long wanted, long actual, bool orMore = false) => wanted == 0 || wanted == actual || (orMore && actual > wanted);

    private static double Dense(ModelDimensions d, double embeddings)
    {
        double h = d.Hidden, l = d.Layers, i = d.Intermediate > 0 ? d.Intermediate : 8 * h / 3;
        return (embeddings * h) + (l * ((3 * h * h) + h)) + (l * ((2 * h * i) + h + i)) + (2 * l * h);
    }

    private static double GenericCount(ModelDimensions d)
    {
        double h = d.Hidden, l = d.Layers, v = d.Vocabulary;
        if (d.Experts <= 1 || d.Intermediate <= 0) return (v * h) + (12 * l * h * h);
        return (v * h) + (l * 4 * h * h) + (l * d.Experts * 3 * h * d.Intermediate);
    }

    private static long Floored(double count) => Whole(Math.Floor(count / Billion) * Billion);

    private static long Whole(double count) => count is > 0 and < long.MaxValue / 2 ? (long)count : 0;
}
