"""Names only: what NumPy and SciPy make public, and what other libraries differentiate of it.

NumPy 2.0 to 2.4, SciPy 1.17; HIPS autograd 1.9, MyGrad 2.5, JAX 0.10, PyTorch 2.13. Classes are
left out, and of SciPy's modules other than `scipy.special` all but what another one differentiates.
"""

LIBRARY = {
    "numpy": """
        abs absolute acos acosh add all allclose amax amin angle any append apply_along_axis
        apply_over_axes arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin
        argpartition argsort argwhere around array array2string array_equal array_equiv array_repr
        array_split array_str asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray
        asin asinh asmatrix astype atan atan2 atanh atleast_1d atleast_2d atleast_3d average
        bartlett base_repr binary_repr bincount bitwise_and bitwise_count bitwise_invert
        bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor blackman block
        bmat broadcast_arrays broadcast_shapes broadcast_to busday_count busday_offset can_cast cbrt
        ceil choose clip column_stack common_type compress concat concatenate conj conjugate
        convolve copy copysign copyto corrcoef correlate cos cosh count_nonzero cov cross cumprod
        cumsum cumulative_prod cumulative_sum datetime_as_string datetime_data deg2rad degrees
        delete diag diag_indices diag_indices_from diagflat diagonal diff digitize divide divmod dot
        dsplit dstack ediff1d einsum einsum_path empty empty_like equal exp exp2 expand_dims expm1
        extract eye fabs fill_diagonal fix flatnonzero flip fliplr flipud float_power floor
        floor_divide fmax fmin fmod format_float_positional format_float_scientific frexp
        from_dlpack frombuffer fromfile fromfunction fromiter frompyfunc fromregex fromstring full
        full_like gcd genfromtxt geomspace get_include get_printoptions getbufsize geterr geterrcall
        gradient greater greater_equal hamming hanning heaviside histogram histogram2d
        histogram_bin_edges histogramdd hsplit hstack hypot i0 identity imag in1d indices info inner
        insert interp intersect1d invert is_busday isclose iscomplex iscomplexobj isdtype isfinite
        isfortran isin isinf isnan isnat isneginf isposinf isreal isrealobj isscalar issubdtype
        iterable ix_ kaiser kron lcm ldexp left_shift less less_equal lexsort linspace load loadtxt
        log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor
        logspace mask_indices matmul matrix_transpose matvec max maximum may_share_memory mean
        median meshgrid min min_scalar_type minimum mintypecode mod modf moveaxis multiply
        nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin
        nanpercentile nanprod nanquantile nanstd nansum nanvar ndim negative nested_iters nextafter
        nonzero not_equal ones ones_like outer packbits pad partition percentile permute_dims
        piecewise place poly polyadd polyder polydiv polyfit polyint polymul polysub polyval
        positive pow power printoptions prod promote_types ptp put put_along_axis putmask quantile
        rad2deg radians ravel ravel_multi_index real real_if_close reciprocal remainder repeat
        require reshape resize result_type right_shift rint roll rollaxis roots rot90 round
        row_stack save savetxt savez savez_compressed searchsorted select set_printoptions
        setbufsize setdiff1d seterr seterrcall setxor1d shape shares_memory show_config show_runtime
        sign signbit sin sinc sinh size sort sort_complex spacing split sqrt square squeeze stack
        std subtract sum swapaxes take take_along_axis tan tanh tensordot test tile trace transpose
        trapezoid trapz tri tril tril_indices tril_indices_from trim_zeros triu triu_indices
        triu_indices_from true_divide trunc typename union1d unique unique_all unique_counts
        unique_inverse unique_values unpackbits unravel_index unstack unwrap vander var vdot vecdot
        vecmat vsplit vstack where zeros zeros_like
    """,
    "numpy.linalg": """
        cholesky cond cross det diagonal eig eigh eigvals eigvalsh inv lstsq matmul matrix_norm
        matrix_power matrix_rank matrix_transpose multi_dot norm outer pinv qr slogdet solve svd
        svdvals tensordot tensorinv tensorsolve test trace vecdot vector_norm
    """,
    "numpy.fft": """
        fft fft2 fftfreq fftn fftshift hfft ifft ifft2 ifftn ifftshift ihfft irfft irfft2 irfftn
        rfft rfft2 rfftfreq rfftn test
    """,
    "scipy.special": """
        agm airy airye bdtr bdtrc bdtri bdtrik bdtrin bei beip ber berp besselpoly beta betainc
        betaincc betainccinv betaincinv betaln binom boxcox boxcox1p btdtria btdtrib cbrt chdtr
        chdtrc chdtri chdtriv chndtr chndtridf chndtrinc chndtrix cosdg cosm1 cotdg dawsn digamma
        ellipe ellipeinc ellipj ellipk ellipkinc ellipkm1 elliprc elliprd elliprf elliprg elliprj
        entr erf erfc erfcinv erfcx erfi erfinv eval_chebyc eval_chebys eval_chebyt eval_chebyu
        eval_gegenbauer eval_genlaguerre eval_hermite eval_hermitenorm eval_jacobi eval_laguerre
        eval_legendre eval_sh_chebyt eval_sh_chebyu eval_sh_jacobi eval_sh_legendre exp1 exp10 exp2
        expi expit expm1 expn exprel fdtr fdtrc fdtri fdtridfd fresnel gamma gammainc gammaincc
        gammainccinv gammaincinv gammaln gammasgn gdtr gdtrc gdtria gdtrib gdtrix hankel1 hankel1e
        hankel2 hankel2e huber hyp0f1 hyp1f1 hyp2f1 hyperu i0 i0e i1 i1e inv_boxcox inv_boxcox1p
        it2i0k0 it2j0y0 it2struve0 itairy iti0k0 itj0y0 itmodstruve0 itstruve0 iv ive j0 j1 jn jv
        jve k0 k0e k1 k1e kei keip kelvin ker kerp kl_div kn kolmogi kolmogorov kv kve log1p
        log_expit log_ndtr log_wright_bessel loggamma logit lpmv mathieu_a mathieu_b mathieu_cem
        mathieu_modcem1 mathieu_modcem2 mathieu_modsem1 mathieu_modsem2 mathieu_sem modfresnelm
        modfresnelp modstruve nbdtr nbdtrc nbdtri nbdtrik nbdtrin ncfdtr ncfdtri ncfdtridfd
        ncfdtridfn ncfdtrinc nctdtr nctdtridf nctdtrinc nctdtrit ndtr ndtri ndtri_exp nrdtrimn
        nrdtrisd obl_ang1 obl_ang1_cv obl_cv obl_rad1 obl_rad1_cv obl_rad2 obl_rad2_cv owens_t pbdv
        pbvv pbwa pdtr pdtrc pdtri pdtrik poch powm1 pro_ang1 pro_ang1_cv pro_cv pro_rad1
        pro_rad1_cv pro_rad2 pro_rad2_cv pseudo_huber psi radian rel_entr rgamma round shichi sici
        sindg smirnov smirnovi spence stdtr stdtridf stdtrit struve tandg tklmbda voigt_profile wofz
        wright_bessel wrightomega xlog1py xlogy y0 y1 yn yv yve zetac
    """,
}
PEERS = {
    "HIPS autograd": {
        "numpy": """
            abs absolute acos acosh add amax amin angle append arccos arccosh arcsin arcsinh
            arctan arctan2 arctanh array array_split asin asinh astype atan atan2 atanh
            atleast_1d atleast_2d atleast_3d broadcast_to clip column_stack concatenate conj
            conjugate cos cosh cross cumsum deg2rad degrees diag diagonal diff divide dot dsplit
            einsum exp exp2 expand_dims expm1 fabs fliplr flipud fmax fmin full gradient hsplit
            hstack hypot imag inner kron linspace log log10 log1p log2 logaddexp logaddexp2
            matmul max maximum mean min minimum mod moveaxis multiply nan_to_num negative outer
            pad partition permute_dims pow power prod rad2deg radians ravel real real_if_close
            reciprocal remainder repeat reshape roll rollaxis rot90 row_stack select sin sinc
            sinh sort split sqrt square squeeze stack std subtract sum swapaxes tan tanh
            tensordot tile trace transpose tril triu true_divide var vsplit vstack where
        """,
        "numpy.linalg": """
            cholesky det eig eigh inv norm pinv slogdet solve svd
        """,
        "numpy.fft": """
            fft fft2 fftn fftshift ifft ifft2 ifftn ifftshift irfft irfft2 irfftn rfft rfft2
            rfftn
        """,
        "scipy.special": """
            beta betainc betaln digamma erf erfc erfcinv erfinv expit gamma gammainc gammaincc
            gammaln gammasgn i0 i1 iv ive j0 j1 jn logit logsumexp multigammaln polygamma psi
            rgamma y0 y1 yn
        """,
        "scipy.linalg": """
            solve_banded solve_sylvester solve_triangular sqrtm
        """,
        "scipy.signal": """
            convolve
        """,
        "scipy.integrate": """
            odeint
        """,
        "scipy.stats": """
            beta.cdf beta.logpdf beta.pdf chi2.cdf chi2.logpdf chi2.pdf dirichlet.logpdf
            dirichlet.pdf gamma.cdf gamma.logpdf gamma.pdf multivariate_normal.entropy
            multivariate_normal.logpdf multivariate_normal.pdf norm.cdf norm.logcdf norm.logpdf
            norm.logsf norm.pdf norm.sf poisson.cdf poisson.logpmf poisson.pmf t.cdf t.logcdf
            t.logpdf t.pdf
        """,
    },
    "MyGrad": {
        "numpy": """
            absolute add amax amin arccos arccosh arcsin arcsinh arctan arctan2 arctanh
            atleast_1d atleast_2d atleast_3d broadcast_to cbrt clip concatenate cos cosh cumprod
            cumsum divide einsum exp exp2 expand_dims expm1 log log10 log1p log2 logaddexp
            logaddexp2 matmul max maximum mean min minimum moveaxis multiply negative positive
            power prod ravel reciprocal repeat reshape roll sin sinc sinh sqrt square squeeze
            stack std subtract sum swapaxes tan tanh transpose var where
        """,
        "numpy.linalg": """
            norm
        """,
    },
    "JAX": {
        "numpy": """
            abs absolute acos acosh add all allclose amax amin angle any append apply_along_axis
            apply_over_axes arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax
            argmin argpartition argsort argwhere around array array_equal array_equiv array_repr
            array_split array_str asarray asin asinh astype atan atan2 atanh atleast_1d
            atleast_2d atleast_3d average bartlett bincount bitwise_and bitwise_count
            bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
            bitwise_xor blackman block broadcast_arrays broadcast_shapes broadcast_to can_cast
            cbrt ceil choose clip column_stack compress concat concatenate conj conjugate
            convolve copy copysign corrcoef correlate cos cosh count_nonzero cov cross cumprod
            cumsum cumulative_prod cumulative_sum deg2rad degrees delete diag diag_indices
            diag_indices_from diagflat diagonal diff digitize divide divmod dot dsplit dstack
            ediff1d einsum einsum_path empty empty_like equal exp exp2 expand_dims expm1 extract
            eye fabs fill_diagonal flatnonzero flip fliplr flipud float_power floor floor_divide
            fmax fmin fmod frexp from_dlpack frombuffer fromfile fromfunction fromiter
            frompyfunc fromstring full full_like gcd geomspace get_printoptions gradient greater
            greater_equal hamming hanning heaviside histogram histogram2d histogram_bin_edges
            histogramdd hsplit hstack hypot i0 identity imag indices inner insert interp
            intersect1d invert isclose iscomplex iscomplexobj isdtype isfinite isin isinf isnan
            isneginf isposinf isreal isrealobj isscalar issubdtype iterable ix_ kaiser kron lcm
            ldexp left_shift less less_equal lexsort linspace load log log10 log1p log2
            logaddexp logaddexp2 logical_and logical_not logical_or logical_xor logspace
            mask_indices matmul matrix_transpose matvec max maximum mean median meshgrid min
            minimum mod modf moveaxis multiply nan_to_num nanargmax nanargmin nancumprod
            nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd
            nansum nanvar ndim negative nextafter nonzero not_equal ones ones_like outer
            packbits pad partition percentile permute_dims piecewise place poly polyadd polyder
            polydiv polyfit polyint polymul polysub polyval positive pow power printoptions prod
            promote_types ptp put put_along_axis quantile rad2deg radians ravel
            ravel_multi_index real reciprocal remainder repeat reshape resize result_type
            right_shift rint roll rollaxis roots rot90 round save savez searchsorted select
            set_printoptions setdiff1d setxor1d shape sign signbit sin sinc sinh size sort
            sort_complex spacing split sqrt square squeeze stack std subtract sum swapaxes take
            take_along_axis tan tanh tensordot tile trace transpose trapezoid tri tril
            tril_indices tril_indices_from trim_zeros triu triu_indices triu_indices_from
            true_divide trunc union1d unique unique_all unique_counts unique_inverse
            unique_values unpackbits unravel_index unstack unwrap vander var vdot vecdot vecmat
            vsplit vstack where zeros zeros_like
        """,
        "numpy.linalg": """
            cholesky cond cross det diagonal eig eigh eigvals eigvalsh inv lstsq matmul
            matrix_norm matrix_power matrix_rank matrix_transpose multi_dot norm outer pinv qr
            slogdet solve svd svdvals tensordot tensorinv tensorsolve trace vecdot vector_norm
        """,
        "numpy.fft": """
            fft fft2 fftfreq fftn fftshift hfft ifft ifft2 ifftn ifftshift ihfft irfft irfft2
            irfftn rfft rfft2 rfftfreq rfftn
        """,
        "scipy.special": """
            bernoulli bessel_jn beta betainc betaln boxcox boxcox1p comb dawsn digamma entr erf
            erfc erfcx erfinv exp1 expi expit expn factorial fresnel gamma gammainc gammaincc
            gammaln gammasgn hyp1f1 hyp2f1 i0 i0e i1 i1e kl_div log_ndtr log_softmax loggamma
            logit logsumexp multigammaln ndtr ndtri owens_t poch polygamma rel_entr sici softmax
            spence sph_harm_y wofz xlog1py xlogy zeta
        """,
        "scipy.linalg": """
            block_diag cho_factor cho_solve cholesky circulant companion convolution_matrix det
            dft eigh eigh_tridiagonal expm expm_frechet fiedler fiedler_companion funm hadamard
            hankel helmert hessenberg hilbert inv invhilbert invpascal leslie lu lu_factor
            lu_solve pascal polar qr qr_multiply rsf2csf schur solve solve_sylvester
            solve_triangular sqrtm svd toeplitz
        """,
        "scipy.signal": """
            convolve convolve2d correlate correlate2d csd detrend fftconvolve istft stft welch
        """,
        "scipy.stats": """
            mode rankdata sem
        """,
        "scipy.fft": """
            dct dctn idct idctn
        """,
        "scipy.integrate": """
            trapezoid
        """,
    },
    "PyTorch": {
        "numpy": """
            abs absolute acos acosh add all allclose amax amin angle any arange arccos arccosh
            arcsin arcsinh arctan arctan2 arctanh argmax argmin argsort argwhere asarray asin
            asinh atan atan2 atanh atleast_1d atleast_2d atleast_3d bincount bitwise_and
            bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor
            broadcast_shapes broadcast_to can_cast ceil clip column_stack concat concatenate
            conj copysign corrcoef cos cosh count_nonzero cov cross cumprod cumsum deg2rad diag
            diagflat diagonal diff divide dot dsplit dstack einsum empty empty_like equal exp
            exp2 expm1 eye fix flip fliplr flipud float_power floor floor_divide fmax fmin fmod
            frexp from_dlpack frombuffer full full_like gcd gradient greater greater_equal
            heaviside histogram histogramdd hsplit hstack hypot i0 imag inner isclose isfinite
            isin isinf isnan isneginf isposinf isreal kron lcm ldexp less less_equal linspace
            load log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or
            logical_xor logspace matmul max maximum mean median meshgrid min minimum moveaxis
            multiply nan_to_num nanmean nanmedian nanquantile nansum negative nextafter nonzero
            not_equal ones ones_like outer positive pow prod promote_types put quantile rad2deg
            ravel real reciprocal remainder reshape result_type roll rot90 round row_stack save
            searchsorted select set_printoptions sign signbit sin sinc sinh sort split sqrt
            square squeeze stack std subtract sum swapaxes take tan tanh tensordot tile trace
            transpose trapezoid trapz tril tril_indices triu triu_indices true_divide trunc
            typename unique unravel_index vander var vdot vsplit vstack where zeros zeros_like
        """,
        "numpy.linalg": """
            cholesky cond cross det diagonal eig eigh eigvals eigvalsh inv lstsq matmul
            matrix_norm matrix_power matrix_rank multi_dot norm pinv qr slogdet solve svd
            svdvals tensorinv tensorsolve vecdot vector_norm
        """,
        "numpy.fft": """
            fft fft2 fftfreq fftn fftshift hfft ifft ifft2 ifftn ifftshift ihfft irfft irfft2
            irfftn rfft rfft2 rfftfreq rfftn
        """,
        "scipy.fft": """
            hfft2 hfftn ihfft2 ihfftn
        """,
        "scipy.linalg": """
            expm lu lu_factor lu_solve solve_triangular
        """,
        "scipy.special": """
            airy digamma entr erf erfc erfcx erfinv eval_chebyt eval_chebyu eval_hermite
            eval_hermitenorm eval_laguerre eval_legendre eval_sh_chebyt eval_sh_chebyu exp2
            expit expm1 gammainc gammaincc gammaln i0 i0e i1 i1e j0 j1 k0 k0e k1 k1e log1p
            log_ndtr log_softmax logit logsumexp multigammaln ndtr ndtri polygamma psi softmax
            spherical_jn xlog1py xlogy y0 y1 zeta
        """,
    },
}
